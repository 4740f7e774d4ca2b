/** The rows of the log in their order, and nothing about scrolling. Each stored line is one element. */
import { arrange, dayName, lostRow, markLeftOff, messageRow, nearby } from "./message-row.js";

/** @returns {line is Line | Lost} */
const isShown = (/** @type {Stored} */ line) => line.kind !== "record";

export class MessageList {
  #list;
  #view;
  /** @type {Item[]} */ #items = [];
  #today = new Date().toDateString();

  constructor(/** @type {HTMLElement} */ list, /** @type {View} */ view) {
    this.#list = list;
    this.#view = view;
  }

  get size() {
    return this.#items.length;
  }

  /** The seq of the first line shown, 0 if there is none. */
  get first() {
    return this.#items.find((item) => item.line)?.line?.seq ?? 0;
  }

  get last() {
    return this.#items.findLast((item) => item.line)?.line?.seq ?? 0;
  }

  /** Show these lines and no others. A screen reader does not read them out: only what is added later is news. */
  show(/** @type {Stored[]} */ lines) {
    this.#items = [];
    this.#quietly(() => {
      this.#list.replaceChildren();
      this.append(lines);
    });
  }

  append(/** @type {Stored[]} */ lines) {
    this.redate();
    const items = this.#make(lines);
    const before = this.#items.length;
    this.#items.push(...items);
    this.#list.append(...items.map((item) => item.element));
    this.#arrange(before, this.#items.length);
  }

  prepend(/** @type {Stored[]} */ lines) {
    const items = this.#make(lines);
    this.#items.unshift(...items);
    this.#quietly(() => this.#list.prepend(...items.map((item) => item.element)));
    this.#arrange(0, items.length + 1);
  }

  /** A notice at the end; the one there is replaced if it is still the last thing said. */
  notice(/** @type {HTMLElement} */ element) {
    const last = this.#items.at(-1);
    if (last && !last.line && last.element.className === element.className) {
      last.element.replaceWith(element);
      last.element = element;
      return;
    }
    this.#items.push({ line: null, element });
    this.#list.append(element);
  }

  /** Is the last thing in the log a line, not a notice? */
  get endsWithLine() {
    return Boolean(this.#items.at(-1)?.line);
  }

  trimStart(/** @type {number} */ size) {
    for (const item of this.#items.splice(0, Math.max(0, this.#items.length - size))) item.element.remove();
    this.#arrange(0, 1);
  }

  trimEnd(/** @type {number} */ size) {
    for (const item of this.#items.splice(size)) item.element.remove();
  }

  /** The row of this seq, or of the first line after it. */
  rowFrom(/** @type {number} */ seq) {
    return this.#items.find((item) => item.line && item.line.seq >= seq)?.element ?? null;
  }

  /** Draw the line where the reader left off above the first line after `seq`; take an older one away. */
  markAfter(/** @type {number} */ seq) {
    this.unmark();
    const row = this.rowFrom(seq + 1);
    if (row) markLeftOff(row);
    return row;
  }

  /** A new day has begun: yesterday is not today any more. */
  redate() {
    const today = new Date().toDateString();
    if (today === this.#today) return;
    this.#today = today;
    for (const day of this.#list.querySelectorAll(".day"))
      day.firstElementChild?.replaceChildren(dayName(Number(day.getAttribute("data-time"))));
  }

  /** Would a line that this name says now stand below the last one without a head of its own? */
  continues(/** @type {string} */ name) {
    const last = this.#items.at(-1)?.line;
    return last?.kind === "line" && last.name === name && nearby(last.timestamp, Date.now());
  }

  unmark() {
    this.#list.querySelector(".left-off")?.remove();
  }

  /** @returns {Item[]} */
  #make(/** @type {Stored[]} */ lines) {
    return lines
      .filter(isShown)
      .map((line) => ({ line, element: line.kind === "lost" ? lostRow(line) : messageRow(line, this.#view) }));
  }

  #arrange(/** @type {number} */ from, /** @type {number} */ to) {
    for (let at = from; at < Math.min(to, this.#items.length); at++) {
      const item = this.#items[at];
      if (item?.line) arrange(item.element, item.line, this.#lineAbove(at), !this.#items[at - 1]?.line);
    }
  }

  /** The nearest line above, past notices. */
  #lineAbove(/** @type {number} */ at) {
    while (at > 0 && !this.#items[at - 1]?.line) at--;
    return this.#items[at - 1]?.line ?? null;
  }

  #quietly(/** @type {() => void} */ change) {
    this.#list.setAttribute("aria-live", "off");
    change();
    setTimeout(() => this.#list.setAttribute("aria-live", "polite"));
  }
}
