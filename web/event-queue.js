/**
 * Events that wait for whoever iterates. At most `MOST` wait: what finds no place is dropped, and once all have been
 * taken, `behind` is called: a client then resumes from the token of the last one.
 */

/** @typedef {import("./client.d.ts").Event} Event */

export class EventQueue {
  static MOST = 10_000;
  #behind;
  #missed = false;
  /** @type {{ event: Event, token: Token | null | undefined }[]} */ #events = [];
  /** @type {{ resolve: (next: IteratorResult<Event, undefined>) => void, reject: (error: Error) => void }[]} */
  #takers = [];
  /** @type {{ error: Error | null } | null} */ #end = null;
  /** Resumes after the last event that was taken. @type {Token | null} */ token = null;

  constructor(/** @type {() => void} */ behind) {
    this.#behind = behind;
  }

  /** @param {Event} event @param {Token | null | undefined} token the place after it, if it moves that */
  add(event, token) {
    if (this.#end) return;
    this.#missed ||= this.#events.length >= EventQueue.MOST;
    if (this.#missed) return;
    this.#events.push({ event, token });
    this.#give();
  }

  /** No more come: those who iterate are done, or get the error, after what waits. */
  end(/** @type {Error | null} */ error) {
    this.#end = { error };
    this.#give();
  }

  /** @returns {Promise<IteratorResult<Event, undefined>>} */
  next() {
    const given = new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
    this.#give();
    return /** @type {any} */ (given);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #give() {
    while (this.#takers.length && (this.#events.length || this.#end)) {
      const taker = this.#takers.shift();
      const next = this.#events.shift();
      if (next) {
        if (next.token) this.token = { seq: next.token.seq, h: next.token.h };
        taker?.resolve({ value: next.event, done: false });
      } else if (this.#end?.error) taker?.reject(this.#end.error);
      else taker?.resolve({ value: undefined, done: true });
    }
    if (!this.#missed || this.#events.length || this.#end) return;
    this.#missed = false;
    this.#behind();
  }
}
