/** The row of a message. */
import { element } from "./dom.js";
import { avatar, hue } from "./names.js";
import { locale, phrase } from "./strings.js";
import { links, mentions, pieces } from "./text.js";

const SPELL = 5 * 60_000;
const DAY = 24 * 60 * 60_000;

/** @typedef {{ timestamp: number, name: string }} Spoken */

const dayOf = (/** @type {number} */ timestamp) => new Date(timestamp).toDateString();

/** Of the server's clock, once, and so of all lines after it. The reader's own may be off by hours. */
export const isWrong = (/** @type {number} */ timestamp, now = Date.now()) => timestamp > now + DAY;

export function nearby(/** @type {number} */ before, /** @type {number} */ after, now = Date.now()) {
  return Math.abs(after - before) < SPELL && after < now + SPELL;
}

/** @returns {{ newDay: boolean, grouped: boolean }} how `line` stands after `previous` (null: nothing above it) */
export function follow(/** @type {Spoken | null} */ previous, /** @type {Spoken} */ line) {
  const other = !previous || dayOf(previous.timestamp) !== dayOf(line.timestamp);
  const newDay = other && !isWrong(line.timestamp);
  const near = previous !== null && nearby(previous.timestamp, line.timestamp);
  return { newDay, grouped: !other && near && previous.name === line.name };
}

const dates = new Map();
function format(/** @type {number} */ timestamp, /** @type {"day" | "time" | "full"} */ kind) {
  /** @type {Record<string, Intl.DateTimeFormatOptions>} */
  const styles = {
    day: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
    time: { hour: "2-digit", minute: "2-digit" },
    full: { dateStyle: "full", timeStyle: "medium" },
  };
  const key = kind + locale();
  if (!dates.has(key)) dates.set(key, new Intl.DateTimeFormat(locale(), styles[kind]));
  return dates.get(key).format(timestamp);
}

/** The row of a message; `arrange` groups it with the row above. */
export function messageRow(/** @type {Line} */ line, /** @type {View} */ view) {
  const called = line.name !== view.me() && mentions(line.message, view.me());
  const when = new Date(line.timestamp).toISOString();
  const clock = isWrong(line.timestamp) ? `#${line.seq}` : format(line.timestamp, "time");
  const anchor = element(
    "a",
    {
      class: "when",
      href: `${view.page}#${line.seq}`,
      title: format(line.timestamp, "full"),
      "aria-label": `${clock}, ${phrase("log.link", { seq: line.seq })}`,
      tabindex: -1, // 500 tab stops before the field otherwise
    },
    element("time", { datetime: when }, ...digits(clock)),
  );
  return element(
    "article",
    { class: `row${called ? " calls" : ""}`, "data-seq": line.seq },
    ...speaker(line.name, anchor),
    messageText(line.message),
  );
}

/** AM or PM apart: grouped rows show the digits only. */
function digits(/** @type {string} */ clock) {
  const parts = clock.split(/(\p{N}[\p{N}:.]*)/u);
  return parts.map((each, at) => (at % 2 ? each : each && element("span", { class: "half" }, each)));
}

/** @returns {HTMLElement[]} the avatar and the head of a row */
export function speaker(/** @type {string} */ name, /** @type {Node | null} */ beside) {
  return [avatar(name), element("header", {}, element("bdi", { class: `name hue-${hue(name)}` }, name), beside)];
}

export function messageText(/** @type {string} */ message) {
  return element("div", { class: "text", dir: "auto" }, ...pieces(message).map(pieceNode));
}

/** @returns {Node | string} */
function pieceNode(/** @type {Piece} */ { kind, text, href = "" }) {
  switch (kind) {
    case "text":
      return text;
    case "code":
      return element("code", {}, text);
    case "block":
      return element("pre", { dir: "ltr", tabindex: 0 }, element("code", {}, text));
    case "emphasis":
      return element("em", {}, ...links(text).map(pieceNode));
    case "mention":
      return element("bdi", { class: "mention" }, text);
    case "link":
      return element("a", { href, rel: "noopener noreferrer nofollow", target: "_blank" }, text);
  }
}

export function lostRow(/** @type {Lost} */ line) {
  return element("article", { class: "row lost", "data-seq": line.seq }, element("p", {}, phrase("log.lost")));
}

/**
 * Group a row with the line above it, or begin a new day.
 * @param {HTMLElement} row @param {Line | Lost} line @param {Line | Lost | null} previous
 * @param {boolean} parted a notice is between them
 */
export function arrange(row, line, previous, parted) {
  if (line.kind === "lost") return;
  const { newDay, grouped } = follow(previous?.kind === "line" ? previous : null, line);
  row.classList.toggle("grouped", grouped && !parted && !row.querySelector(".left-off"));
  const day = row.querySelector(".day");
  if (newDay && !day)
    row.prepend(
      element("div", { class: "day", "data-time": line.timestamp }, element("span", {}, dayName(line.timestamp))),
    );
  else if (!newDay) day?.remove();
}

/** "Today", "Yesterday", or the date. */
export function dayName(/** @type {number} */ timestamp, now = Date.now()) {
  const ago = [0, 1].find((days) => dayOf(now - days * DAY) === dayOf(timestamp));
  if (ago === undefined) return format(timestamp, "day");
  const name = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-ago, "day");
  return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
}

/** Draw the unread line above this row. */
export function markLeftOff(/** @type {HTMLElement} */ row) {
  row.classList.remove("grouped");
  const mark = element("div", { class: "left-off" }, element("span", {}, phrase("log.left")));
  const day = row.querySelector(".day");
  if (day) day.after(mark);
  else row.prepend(mark);
}
