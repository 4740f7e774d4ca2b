/** A room's history over HTTP for programs: page after page, while somebody iterates. */
import { readPage } from "./pages.js";
import { apiOfSocket, refusalOf } from "./requests.js";
import { RoomError } from "./room-error.js";

/** @typedef {import("./client.d.ts").HistoryOptions} HistoryOptions */
/** @typedef {import("./client.d.ts").Event} Event */

/** Lines of a page: the most that the server gives at once. */
const PAGE = 1000;
/** For an answer, in ms. */
const PATIENCE = 15_000;
/** Between two tries, in ms. */
const [SHORTEST, LONGEST] = [500, 30_000];
/** They pass by themselves: too slow, too many, a server that stops or can't read. */
const isPassing = (/** @type {number} */ status) => status === 408 || status === 429 || status >= 500;

export class RoomHistory {
  #address;
  #ended;
  #told;

  /**
   * @param {string | URL} socket the address of the room's WebSocket
   * @param {AbortSignal} ended ends all that waits
   * @param {(line: Stored) => Event} told what a program is told of a line
   */
  constructor(socket, ended, told) {
    this.#address = `${apiOfSocket(socket)}/history`;
    this.#ended = ended;
    this.#told = told;
  }

  /**
   * The messages, each once; damaged lines and other kinds of record are passed over. A server that is away is waited
   * for. Throws a `RoomError` for what it refuses, or what ended the room.
   * @param {HistoryOptions} options
   * @returns {AsyncGenerator<import("./client.d.ts").Message, void>}
   */
  async *lines({ before, after, limit = Infinity, q }) {
    const up = after === undefined;
    const end = up ? Infinity : (before ?? Infinity);
    let [at, more, left] = [up ? before : after, true, limit];
    while (more && left > 0 && (at ?? 0) + 1 < end) {
      const size = String(Math.min(PAGE, Math.ceil(left)));
      const query = new URLSearchParams({ limit: size, ...(q !== undefined && { q }) });
      if (at !== undefined) query.set(up ? "before" : "after", String(at));
      const page = await this.#page(query);
      for (const line of (up ? page.lines.reverse() : page.lines).map(this.#told)) {
        if (!("seq" in line) || line.seq >= end) return;
        if (line.kind !== "line") continue;
        yield line;
        left -= 1;
        if (left <= 0) return;
      }
      ({ more, next: at } = page);
    }
  }

  /** A page goes on from `EdgeChat-Next`, not from its last line: what it covers is not all shown. */
  async #page(/** @type {URLSearchParams} */ query) {
    const answer = await this.#answer(`${this.#address}?${query}`);
    const next = answer.headers.get("EdgeChat-Next");
    return { lines: readPage(answer.text), more: next !== null, next: next === null ? undefined : Number(next) };
  }

  /** Asks until the server itself answers. */
  async #answer(/** @type {string} */ address) {
    for (let tries = 0; ; tries++) {
      let wait = Math.min(LONGEST, SHORTEST * 2 ** tries) * (0.5 + Math.random() / 2);
      try {
        const signal = AbortSignal.any([this.#ended, AbortSignal.timeout(PATIENCE)]);
        const answer = await fetch(address, { cache: "no-store", signal });
        if (answer.ok) return { headers: answer.headers, text: await answer.text() };
        const { error, code, retry_after_ms } = await refusalOf(answer);
        if (!isPassing(answer.status)) throw new RoomError(code, error);
        wait = Math.max(wait, retry_after_ms ?? 0);
      } catch (error) {
        if (this.#ended.aborted) throw this.#ended.reason;
        if (error instanceof RoomError) throw error;
      }
      await this.#sleep(wait);
    }
  }

  /** Throws what ended the room. */
  async #sleep(/** @type {number} */ ms) {
    const awake = new AbortController();
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
      this.#ended.addEventListener("abort", resolve, { signal: awake.signal });
    });
    awake.abort();
    this.#ended.throwIfAborted();
  }
}
