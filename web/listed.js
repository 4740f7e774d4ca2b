/** Names for a sentence. Loaded with the first one that has some. */
import "./strings-later.js";
import { locale, phrase } from "./strings.js";

/** At most `most` of them, and how many others. */
export function listed(/** @type {string[]} */ names, most = 3) {
  const joined = new Intl.ListFormat(locale(), { type: "conjunction" });
  if (names.length <= most) return joined.format(names);
  return phrase("log.others", { names: names.slice(0, most - 1).join(", "), count: names.length - most + 1 });
}
