/** The requests of a room's HTTP API (docs/protocol.md) that stand for a WebSocket's frames. */

/** For an answer, in ms. */
export const PATIENCE = 10_000;

/** @typedef {{ seq: number, h: string, members: number, room: string, limits?: Limits }} Info */
/** @typedef {{ error: string, code: string, retry_after_ms?: number }} Refused */

export class Requests {
  #api;
  #ended = new AbortController();

  constructor(/** @type {string | URL} */ socket) {
    this.#api = apiOfSocket(socket);
  }

  /** Ends what is under way. */
  end() {
    this.#ended.abort();
  }

  /** The room as it is now. Throws if the server does not say it. @returns {Promise<Info>} */
  async info() {
    const answer = await this.#fetch("");
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  /**
   * Says something: the stored line, or the refusal.
   * @param {{ name: string, message: string, id?: string }} message
   */
  async post(message) {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#fetch("/messages", { method: "POST", headers, body: JSON.stringify(message) });
    if (answer.ok) return { line: await answer.text(), refusal: null };
    return { line: "", refusal: await refusalOf(answer) };
  }

  /** The room's events after a place; its `h` may be "", if it is not known. Only the beginning has to come in time. */
  async events(/** @type {Token} */ { seq, h }) {
    const beginning = new AbortController();
    const late = setTimeout(() => beginning.abort(), PATIENCE);
    const headers = { Accept: "text/event-stream" };
    const signal = AbortSignal.any([this.#ended.signal, beginning.signal]);
    const path = `/events?since=${seq}${h && `:${h}`}`;
    return fetch(this.#api + path, { cache: "no-store", headers, signal }).finally(() => clearTimeout(late));
  }

  async #fetch(/** @type {string} */ path, /** @type {RequestInit} */ init = {}) {
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(PATIENCE)]);
    return fetch(this.#api + path, { cache: "no-store", signal, ...init });
  }
}

/** The room's HTTP address, of its WebSocket's. */
export function apiOfSocket(/** @type {string | URL} */ socket) {
  return String(socket)
    .replace(/^ws/, "http")
    .replace(/\/websocket$/, "");
}

/** What the server refuses with. Throws if the answer is not its own. @returns {Promise<Refused>} */
export async function refusalOf(/** @type {Response} */ answer) {
  const { error, code } = await answer.json();
  if (typeof error !== "string" || typeof code !== "string") throw new Error(`HTTP ${answer.status}`);
  const after = Number(answer.headers.get("Retry-After"));
  return { error, code, ...(after && { retry_after_ms: 1000 * after }) };
}
