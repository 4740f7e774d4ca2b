/** Who is here, who types, who came and went: the rules. Pure; people.js shows it. */
import { locale, phrase } from "./strings.js";

export class Roster {
  /** A room that was big (more than 250 sessions) has all its names again at this many. */
  static #SMALL = 200;
  /** @type {Set<string>} */ #names = new Set();
  /** @type {Set<string> | null} */ #coming = null;
  /** The sessions of a room too big for each to be named; 0 in others. */
  #crowd = 0;

  /** A join begins: the names that come are the whole roster, taken over when it is complete. */
  begin() {
    this.#coming = new Set();
    this.#crowd = 0;
  }

  /** The join is complete. */
  complete(/** @type {number} */ sessions) {
    this.#names = this.#coming ?? this.#names;
    this.#coming = null;
    if (this.crowded) this.#crowd = sessions;
  }

  /** True if this is news: not part of a join, and not known already. */
  joined(/** @type {string} */ name) {
    const names = this.#coming ?? this.#names;
    const news = !this.#coming && !names.has(name);
    names.add(name);
    return news;
  }

  quit(/** @type {string} */ name) {
    return (this.#coming ?? this.#names).delete(name) && !this.#coming;
  }

  /** A count in place of comings and goings; `names` replace all that was known: some of them in a crowd, else all. */
  counted(/** @type {number} */ sessions, /** @type {string[] | null} */ names = null) {
    if (names) {
      const current = this.#coming ?? this.#names;
      current.clear();
      for (const name of names) current.add(name);
    }
    this.#crowd = names && sessions <= Roster.#SMALL ? 0 : sessions;
  }

  /** Too many to name each. */
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

/** Who types: each for five seconds after the last typing event. Times are ms, handed in. */
export class Typists {
  static FOR = 5_000;
  /** @type {string[]} */ #names = [];
  #until = 0;

  heard(/** @type {string[]} */ names, /** @type {string} */ me, /** @type {number} */ now) {
    this.#names = names.filter((name) => name !== me);
    this.#until = now + Typists.FOR;
  }

  /** A message is the end of typing it. */
  said(/** @type {string} */ name) {
    this.#names = this.#names.filter((other) => other !== name);
  }

  at(/** @type {number} */ now) {
    return now < this.#until ? this.#names : [];
  }
}

/** Comings and goings since the last message, with those who did both taken together. */
export class Comings {
  /** @type {Map<string, { came: boolean, here: boolean }>} */ #people = new Map();

  came(/** @type {string} */ name) {
    const known = this.#people.get(name);
    if (known) known.here = true;
    else this.#people.set(name, { came: true, here: true });
  }

  left(/** @type {string} */ name) {
    const known = this.#people.get(name);
    if (known) known.here = false;
    else this.#people.set(name, { came: false, here: false });
  }

  /** Who joined, who left, who came by; who left and is back (a reload) is not worth a word. */
  get summary() {
    const people = [...this.#people];
    const names = (/** @type {boolean} */ came, /** @type {boolean} */ here) =>
      people.filter(([, person]) => person.came === came && person.here === here).map(([name]) => name);
    return { joined: names(true, true), left: names(false, false), passed: names(true, false) };
  }
}

/** Names for a sentence, the third and later as a number. */
export function listed(/** @type {string[]} */ names, most = 3) {
  const joined = new Intl.ListFormat(locale(), { type: "conjunction" });
  if (names.length <= most) return joined.format(names);
  return phrase("log.others", { names: names.slice(0, most - 1).join(", "), count: names.length - most + 1 });
}
