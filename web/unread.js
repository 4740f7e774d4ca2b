/** Counts what was said while nobody looked, and remembers the place up to which this room was read. */

/** @typedef {{ get: () => unknown, set: (place: [number, string]) => void }} Kept the seq and h of that line */

export const looked = () => document.visibilityState === "visible" && document.hasFocus();

export class Unread {
  #kept;
  #count = 0;
  #calls = 0;
  #told;
  #leftOff;
  #h;

  constructor(/** @type {Kept} */ kept, /** @type {(count: number, calls: number) => void} */ told) {
    this.#kept = kept;
    this.#told = told;
    [this.#leftOff, this.#h] = this.#place;
  }

  /** @returns {[number, string]} */
  get #place() {
    const [seq = 0, h = ""] = [this.#kept.get() ?? []].flat();
    return [Number(seq), String(h)];
  }

  /** Was another history read than the one with these lines and this newest seq? */
  isOther(/** @type {Stored[]} */ lines, /** @type {number} */ newest) {
    const last = lines.find((line) => line.seq === this.#leftOff);
    return this.#leftOff > newest || Boolean(last && "h" in last && this.#h && last.h !== this.#h);
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

  read(/** @type {Token | null} */ token) {
    if (token && token.seq > this.#place[0]) this.#kept.set([token.seq, token.h]);
    if (!this.#count) return;
    this.#count = this.#calls = 0;
    this.#told(0, 0);
  }

  /** What was read belongs to another history. */
  reset() {
    this.#leftOff = 0;
    this.#kept.set([0, ""]);
  }
}
