/** Addresses in a message. Pure. */

const STOP = '\\s<>"\\p{Bidi_C}、。，．！？：；（）［］｛｝「」『』【】《》〈〉“”‘’';
/** What is written as an address: readme.md and main.py are file names, though .md and .py are countries. */
const WEB = `(?<![a-z0-9])(?:https?:\\/\\/|www\\.|mailto:)[^${STOP}]+`;
const MAIL = /(?<![\w.+-])[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/.source;
export const LINK = new RegExp(`(${WEB}|${MAIL})`, "iu");

const count = (/** @type {string} */ text, /** @type {string} */ sign) => text.split(sign).length;

/** The address without the punctuation of the sentence around it, and where it leads; null if it leads nowhere. */
export function address(/** @type {string} */ found) {
  let text = found;
  for (let last = text.at(-1) ?? ""; ; last = text.at(-1) ?? "") {
    const opening = "([{"[")]}".indexOf(last)];
    if (!/[.,:;!?'…]/.test(last) && !(opening && count(text, last) > count(text, opening))) break;
    text = text.slice(0, -1);
  }
  const href = /^(https?:|mailto:)/i.test(text) ? text : `${text.includes("@") ? "mailto:" : "https://"}${text}`;
  return URL.canParse(href) && text !== "www" ? { text, href } : null;
}
