/** The day of the first row in sight, while one reads further up. Loaded with the first scrolling. */
import { part } from "./dom.js";
import { dayName, isWrong } from "./message-row.js";

export function showDate(/** @type {HTMLElement} */ root, /** @type {import("./scroll.js").Scroll} */ scroll) {
  const date = part(root, ".date", HTMLElement);
  const row = scroll.stuck ? null : scroll.first;
  const time = timeOf(row);
  date.hidden = time === null || Boolean(row?.querySelector(".day")); // its own heading is in sight
  if (time !== null) date.textContent = dayName(time);
}

/** When this row, or the nearest message above it, was said; null if that is not known. */
function timeOf(/** @type {Element | null} */ row) {
  for (let at = row; at; at = at.previousElementSibling) {
    const said = at.querySelector("time")?.dateTime;
    if (said) return isWrong(Date.parse(said)) ? null : Date.parse(said);
  }
  return null;
}
