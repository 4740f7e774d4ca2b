/** Who is here. Pure. */
import { locale } from "./strings.js";

export class Roster {
  /** A crowd (over 250 sessions) lists all its names again at this many. */
  static #SMALL = 200;
  /** @type {Set<string>} */ #names = new Set();
  /** @type {Set<string> | null} */ #coming = null;
  /** Sessions of a room too big to list all; else 0. */
  #crowd = 0;

  /** A join begins: its names replace the roster when it is complete. */
  begin() {
    this.#coming = new Set();
    this.#crowd = 0;
  }

  complete(/** @type {number} */ sessions) {
    this.#names = this.#coming ?? this.#names;
    this.#coming = null;
    if (this.crowded) this.#crowd = sessions;
  }

  /** True if this is news. */
  joined(/** @type {string} */ name) {
    const names = this.#coming ?? this.#names;
    const news = !this.#coming && !names.has(name);
    names.add(name);
    return news;
  }

  quit(/** @type {string} */ name) {
    return (this.#coming ?? this.#names).delete(name) && !this.#coming;
  }

  /** A count in place of joins and leaves; `names` are a part of a crowd, else all. */
  counted(/** @type {number} */ sessions, /** @type {string[] | null} */ names = null) {
    if (names) {
      const current = this.#coming ?? this.#names;
      current.clear();
      for (const name of names) current.add(name);
    }
    this.#crowd = names && sessions <= Roster.#SMALL ? 0 : sessions;
  }

  get crowded() {
    return this.#crowd > 0;
  }

  get count() {
    return this.#crowd || this.#names.size;
  }

  get names() {
    return [...this.#names].sort(new Intl.Collator(locale()).compare);
  }
}
