/** Pages of a room's history over HTTP. Loaded with the first one. */
import { apiOf } from "./addresses.js";
import { read } from "./protocol.js";

/** A page of NDJSON history, oldest first. @returns {Stored[]} */
export function readPage(/** @type {string} */ text) {
  const events = text.split("\n").filter(Boolean).map(read);
  return /** @type {Stored[]} */ (events.filter((event) => "seq" in event && event.kind !== "ready"));
}

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
    for (let at = seq; ;) {
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
