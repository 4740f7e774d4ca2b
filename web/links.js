/** Addresses in a message. Pure. */

const STOP = '\\s<>"\\p{Bidi_C}、。，．！？：；（）［］｛｝「」『』【】《》〈〉“”‘’';
/** With a scheme or www: readme.md is a file, though .md is a country. */
const WEB = `(?<![a-z0-9])(?:https?:\\/\\/|www\\.|mailto:)[^${STOP}]+`;
const MAIL = /(?<![\w.+-])[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/.source;
export const LINK = new RegExp(`(${WEB}|${MAIL})`, "iu");

const count = (/** @type {string} */ text, /** @type {string} */ sign) => text.split(sign).length;

/** The address without the punctuation around it, and where it leads; null if nowhere. */
export function address(/** @type {string} */ found) {
  const spare = [..."([{"].map((open, at) => count(found, ")]}"[at] ?? "") - count(found, open));
  let end = found.length;
  for (; end; end--) {
    const bracket = ")]}".indexOf(found[end - 1] ?? "");
    if ((spare[bracket] ?? 0) > 0) spare[bracket] = (spare[bracket] ?? 0) - 1;
    else if (!/[.,:;!?'…]/.test(found[end - 1] ?? "")) break;
  }
  const text = found.slice(0, end);
  const href = /^(https?:|mailto:)/i.test(text) ? text : `${text.includes("@") ? "mailto:" : "https://"}${text}`;
  return text !== "www" && URL.canParse(href) ? { text, href } : null;
}
