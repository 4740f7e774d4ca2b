/** How names are shown, and which can be one's own. */
import { element } from "./dom.js";

/** Is there anything to see in it? */
export const shows = (/** @type {string} */ text) => /[^\p{DI}\p{Cc}\p{NChar}\s\u2800]/u.test(text);

/** A name as the server will have it, without what is invisible. */
export function cleanName(/** @type {string} */ typed) {
  const composed = typed.normalize("NFC").replace(/\s+/g, " ");
  return composed.replace(/(?![\u200c\u200d\u180b-\u180f\ufe0e\ufe0f\u{e0020}-\u{e01ef}])[\p{DI}\p{Cc}]/gu, "").trim();
}

/** A name has 1 to 32 code points, as the server counts them. */
export const isName = (/** @type {string} */ name) => shows(name) && [...name].length <= 32;

/** One of eight colours, the same for the same name. */
export function hue(/** @type {string} */ name) {
  let sum = 0;
  for (const sign of name) sum = (Math.imul(sum, 31) + (sign.codePointAt(0) ?? 0)) >>> 0;
  return sum % 8;
}

/** The first visible grapheme: a whole flag or family emoji. */
export function initial(/** @type {string} */ name) {
  const letters = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
  const first = letters.find((letter) => /[^\p{C}\p{Z}\p{M}]/u.test(letter)) ?? "?";
  const big = first.toUpperCase();
  return big.length === first.length ? big : first; // ß stays
}

export function avatar(/** @type {string} */ name) {
  return element("span", { class: `avatar hue-${hue(name)}`, "aria-hidden": "true" }, initial(name));
}
