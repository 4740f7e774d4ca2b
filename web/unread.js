/** Counts what was said while nobody looked, and remembers the last seq that was read. */

/** @typedef {{ get: () => unknown, set: (seq: number) => void }} Kept the seq last read in this room */

export const looked = () => document.visibilityState === "visible" && document.hasFocus();

export class Unread {
  #kept;
  #count = 0;
  #calls = 0;
  #told;
  #leftOff;

  constructor(/** @type {Kept} */ kept, /** @type {(count: number, calls: number) => void} */ told) {
    this.#kept = kept;
    this.#told = told;
    this.#leftOff = Number(kept.get() ?? 0);
  }

  get leftOff() {
    return this.#leftOff;
  }

  /** A line arrived while nobody looked. True for the first one: the unread line is drawn above it. */
  missed(/** @type {number} */ seq, /** @type {boolean} */ calls) {
    const first = this.#count === 0;
    if (first) this.#leftOff = seq - 1;
    this.#count += 1;
    if (calls) this.#calls += 1;
    this.#told(this.#count, this.#calls);
    return first;
  }

  read(/** @type {number} */ seq) {
    if (seq > Number(this.#kept.get() ?? 0)) this.#kept.set(seq);
    if (!this.#count) return;
    this.#count = this.#calls = 0;
    this.#told(0, 0);
  }

  /** What was read belongs to another history. */
  reset() {
    this.#leftOff = 0;
    this.#kept.set(0);
  }
}
