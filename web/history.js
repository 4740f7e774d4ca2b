/**
 * Where this client stands in the room's history. Each seq is handed on once, in order; the token never moves back.
 * Lines before `ready` are held: only `ready` says whether they continue what is known or replace it.
 */
export class Timeline {
  /** @type {Token | null} */ #token = null;
  #last = 0;
  /** @type {Stored[] | null} */ #held = null;

  get token() {
    return this.#token;
  }

  get last() {
    return this.#last;
  }

  hold() {
    this.#held = [];
  }

  /**
   * "next": show it. "held": wait for ready. "repeat": known already. "gap": something is missing; connect again.
   * @returns {"next" | "held" | "repeat" | "gap"}
   */
  take(/** @type {Stored} */ line) {
    if (this.#held) {
      this.#held.push(line);
      return "held";
    }
    if (line.seq <= this.#last) return "repeat";
    if (line.seq > this.#last + 1) return "gap";
    this.#advance(line);
    return "next";
  }

  /** The join is complete: what it brought, each line once. @returns {Joined} */
  ready(/** @type {Ready} */ { seq, h, recovered, reason }) {
    const continues = recovered === true;
    if (!continues) this.#last = 0;
    const lines = [];
    for (const line of this.#held ?? []) {
      if (line.seq <= this.#last) continue;
      this.#advance(line);
      lines.push(line);
    }
    this.#held = null;
    if (seq >= this.#last) [this.#last, this.#token] = [seq, { seq, h }];
    return { continues, lines, reason };
  }

  /** A lost line has no digest, so the token stays on the last line that has one. */
  #advance(/** @type {Stored} */ line) {
    this.#last = line.seq;
    if (line.kind !== "lost") this.#token = { seq: line.seq, h: line.h };
  }
}
