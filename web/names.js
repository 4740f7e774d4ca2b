/** How names are shown, and which can be one's own. */
import { element } from "./dom.js";

/** A name has 1 to 32 code points, as the server counts them. */
export const isName = (/** @type {string} */ name) => name.length > 0 && [...name].length <= 32;

/** One of eight colours, the same for the same name. */
export function hue(/** @type {string} */ name) {
  let sum = 0;
  for (const sign of name) sum = (Math.imul(sum, 31) + (sign.codePointAt(0) ?? 0)) >>> 0;
  return sum % 8;
}

/** The first visible grapheme: a whole flag or family emoji. */
export function initial(/** @type {string} */ name) {
  const letters = Intl.Segmenter ? [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment) : [...name];
  const first = letters.find((letter) => /[^\p{C}\p{Z}\p{M}]/u.test(letter)) ?? "?";
  const big = first.toUpperCase();
  return big.length === first.length ? big : first; // ß stays
}

export function avatar(/** @type {string} */ name) {
  return element("span", { class: `avatar hue-${hue(name)}`, "aria-hidden": "true" }, initial(name));
}
