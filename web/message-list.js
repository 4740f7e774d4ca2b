/** The rows in order; nothing about scrolling. */
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

  get first() {
    return this.#items.find((item) => item.line)?.line?.seq ?? 0;
  }

  get last() {
    return this.#items.findLast((item) => item.line)?.line?.seq ?? 0;
  }

  /** Show these lines only. A screen reader does not announce them. */
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

  /** A notice at the end replaces the one that is there. */
  notice(/** @type {HTMLElement} */ element) {
    const last = this.#items.at(-1);
    if (last && !last.line) {
      last.element.replaceWith(element);
      last.element = element;
      return;
    }
    this.#items.push({ line: null, element });
    this.#list.append(element);
  }

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

  rowFrom(/** @type {number} */ seq) {
    return this.#items.find((item) => item.line && item.line.seq >= seq)?.element ?? null;
  }

  /** Move the unread line above the first line after `seq`. */
  markAfter(/** @type {number} */ seq) {
    this.unmark();
    const row = this.rowFrom(seq + 1);
    if (row) markLeftOff(row);
    return row;
  }

  /** After midnight, "Today" is yesterday. */
  redate() {
    const today = new Date().toDateString();
    if (today === this.#today) return;
    this.#today = today;
    for (const day of this.#list.querySelectorAll(".day"))
      day.firstElementChild?.replaceChildren(dayName(Number(day.getAttribute("data-time"))));
  }

  /** Would this name's next message be grouped with the last one? */
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
