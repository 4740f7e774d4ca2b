/** What was said while nobody looked: the line where the reader left off, and the count for the tab's title. */

/** @typedef {{ get: () => unknown, set: (seq: number) => void }} Kept the seq last read in this room */

/** Is the page in front of somebody? */
export const looked = () => document.visibilityState === "visible" && document.hasFocus();

export class Unread {
  #kept;
  #count = 0;
  #calls = 0;
  #told;
  /** The seq above which the line is drawn. */
  #leftOff;

  constructor(/** @type {Kept} */ kept, /** @type {(count: number, calls: number) => void} */ told) {
    this.#kept = kept;
    this.#told = told;
    this.#leftOff = Number(kept.get() ?? 0);
  }

  /** The last seq read before the reader went away; 0 if this is the first visit. */
  get leftOff() {
    return this.#leftOff;
  }

  /** A line arrived while nobody looked. True if it is the first one: the line belongs above it. */
  missed(/** @type {number} */ seq, /** @type {boolean} */ calls) {
    const first = this.#count === 0;
    if (first) this.#leftOff = seq - 1;
    this.#count += 1;
    if (calls) this.#calls += 1;
    this.#told(this.#count, this.#calls);
    return first;
  }

  /** Everything up to `seq` is in view and somebody looks. */
  read(/** @type {number} */ seq) {
    if (seq > Number(this.#kept.get() ?? 0)) this.#kept.set(seq);
    if (!this.#count) return;
    this.#count = this.#calls = 0;
    this.#told(0, 0);
  }

  /** The room began anew: what was read belongs to a history that is gone. */
  reset() {
    this.#leftOff = 0;
    this.#kept.set(0);
  }
}
