/** Who joined and left, in one line. Loaded when somebody does. */
import { element } from "./dom.js";
import { listed } from "./listed.js";
import { phrase } from "./strings.js";

/** Joins and leaves since the last message. */
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

  /** `passed` came and left. A reload is left out. */
  get summary() {
    const people = [...this.#people];
    const names = (/** @type {boolean} */ came, /** @type {boolean} */ here) =>
      people.filter(([, person]) => person.came === came && person.here === here).map(([name]) => name);
    return { joined: names(true, true), quit: names(false, false), passed: names(true, false) };
  }
}

/** The line that says so; hidden if there is nothing to say. */
export function noticeOf(/** @type {Comings} */ { summary }) {
  const told = Object.entries(summary).filter(([, names]) => names.length);
  const texts = told.map(([what, names]) => phrase(`log.${what}`, { names: listed(names) }));
  return element("p", { class: "notice", dir: "auto", hidden: texts.length === 0 }, texts.join(" · "));
}
