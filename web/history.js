/** A room's history: the live end in order and without a hole (Timeline), and older pages on demand (Pages). */
import { apiOf } from "./addresses.js";
import { readPage } from "./protocol.js";

/** @typedef {import("./protocol.js").Stored} Stored */
/** @typedef {import("./protocol.js").Token} Token */
/** @typedef {"before" | "after" | "around"} Where */
/** @typedef {{ lines: Stored[], more: boolean, next: number }} Page `next` is where to go on, if there is `more` */
/** @typedef {{ continues: boolean, lines: Stored[], reason: string | null }} Joined */

/**
 * Where this client stands in the room's history. Laws:
 * each seq is handed on once, in order; the token never moves back; what comes before `ready` is held,
 * because only `ready` says whether it continues what is known or replaces it.
 */
export class Timeline {
  /** @type {Token | null} */ #token = null;
  #last = 0;
  /** @type {Stored[] | null} */ #held = null;

  /** What to send as `since`; null before the first join. */
  get token() {
    return this.#token;
  }

  /** The newest seq known. */
  get last() {
    return this.#last;
  }

  /** A connection begins: hold what comes until it is ready. */
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
  ready(/** @type {import("./protocol.js").Ready} */ { seq, h, recovered, reason }) {
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

/** Pages of the history over HTTP. */
export class Pages {
  static SIZE = 100;
  /** So many lines at least, or all there are: behind damage a page has few, and records that are not drawn count. */
  static ENOUGH = 50;
  static PATIENCE = 15_000;
  #room;

  constructor(/** @type {string} */ room) {
    this.#room = room;
  }

  /** Lines before, after or around a seq, oldest first. Throws if there is no answer. @returns {Promise<Page>} */
  async read(/** @type {Where} */ where, /** @type {number} */ seq) {
    if (where === "around") {
      const page = await this.#page(where, seq);
      if (page.lines.length) return page;
      const after = await this.read("after", seq);
      return after.lines.length ? after : this.read("before", seq);
    }
    /** @type {Stored[]} */ let lines = [];
    for (let at = seq; ; ) {
      const page = await this.#page(where, at);
      lines = where === "before" ? [...page.lines, ...lines] : [...lines, ...page.lines];
      if (!page.more || lines.length >= Pages.ENOUGH) return { ...page, lines };
      at = page.next;
    }
  }

  /** One page. Without the header `EdgeChat-Next` it goes on from the last line, or past as many as were asked for. */
  async #page(/** @type {Where} */ where, /** @type {number} */ seq) {
    const address = apiOf(this.#room, `/history?${where}=${seq}&limit=${Pages.SIZE}`);
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(Pages.PATIENCE) });
    if (!answer.ok) throw new Error(`history: ${answer.status}`);
    const all = readPage(await answer.text());
    const up = where === "before";
    const fallback = (up ? all[0] : all.at(-1))?.seq ?? seq + (up ? -Pages.SIZE : Pages.SIZE);
    const next = Number(answer.headers.get("EdgeChat-Next") ?? fallback);
    const more = answer.headers.get("EdgeChat-More") === "true" && (up ? next < seq && next > 1 : next > seq);
    return { lines: all.filter((line) => line.kind !== "record"), more, next };
  }
}
