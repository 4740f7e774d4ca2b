/** Who types now. Loaded when somebody does. */
import { listed } from "./listed.js";
import { phrase } from "./strings.js";

/** Who types, for five seconds after the last event. Times are ms, handed in. */
export class Typists {
  static FOR = 5_000;
  /** @type {string[]} */ #names = [];
  #until = 0;

  heard(/** @type {string[]} */ names, /** @type {string} */ me, /** @type {number} */ now) {
    this.#names = names.filter((name) => name !== me);
    this.#until = now + Typists.FOR;
  }

  said(/** @type {string} */ name) {
    this.#names = this.#names.filter((other) => other !== name);
  }

  at(/** @type {number} */ now) {
    return now < this.#until ? this.#names : [];
  }
}

/** The line below the field that says so. */
export class TypingLine {
  #typists = new Typists();
  #line;
  /** @type {Timer} */ #quiet;

  constructor(/** @type {HTMLElement} */ line) {
    this.#line = line;
  }

  heard(/** @type {string[]} */ names, /** @type {string} */ me) {
    this.#typists.heard(names, me, performance.now());
    this.#draw();
  }

  /** After a message its writer does not type. */
  said(/** @type {string} */ name) {
    this.#typists.said(name);
    if (this.#line.textContent) this.#draw();
  }

  #draw() {
    clearTimeout(this.#quiet);
    const names = this.#typists.at(performance.now());
    const text =
      names.length > 3 ? phrase("typing.many") : phrase("typing.some", { names: listed(names), count: names.length });
    this.#line.textContent = names.length ? text : "";
    if (names.length) this.#quiet = setTimeout(() => this.#draw(), Typists.FOR + 50);
  }
}
