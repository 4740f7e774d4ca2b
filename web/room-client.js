/**
 * The JavaScript client: a room for programs. It has the page's own connection, timeline and outbox. `/client.js` hands
 * it on under an address that stays; its types for others are in client.d.ts. docs/javascript.md shows how to use it.
 */
import { roomOf, socketOf } from "./addresses.js";
import { Connection } from "./connection.js";
import { EventQueue } from "./event-queue.js";
import { Timeline } from "./history.js";
import { Outgoing } from "./outgoing.js";
import { hello, typing } from "./protocol.js";
import { RoomError, endedBy } from "./room-error.js";
import { RoomHistory } from "./room-history.js";
export { Refused, RoomError } from "./room-error.js";

/** @typedef {import("./client.d.ts").Event} Event */

class Room {
  /** @type {Set<string>} */ #names = new Set();
  #timeline = new Timeline();
  #ended = new AbortController();
  #events;
  #connection;
  #outgoing;
  /** @type {import("./client.d.ts").Room["history"]} */ history;
  /** @type {Refusal | null} */ #refusal = null;
  #members = 0;
  /** @type {() => void} */ #joined = () => {};
  /** @type {(error: Error) => void} */ #failed = () => {};

  /** @param {URL} address @param {string} name @param {Required<import("./client.d.ts").Options>} options */
  constructor(address, name, { since, backlog, storage }) {
    this.#begin(since);
    this.#events = new EventQueue(() => this.#behind());
    this.#events.token = since;
    this.#connection = new Connection(address, {
      hello: () => hello(name, this.#timeline.token, backlog),
      heard: (event) => this.#heard(event),
      moved: (phase) => this.#moved(phase),
    });
    this.#outgoing = new Outgoing(this.#connection, storage, address, name);
    const { signal } = this.#ended;
    const past = new RoomHistory(address, signal, (line) => this.#told(line, false));
    this.history = (options = {}) => past.lines(options);
    globalThis.addEventListener?.("online", () => this.#connection.hurry(), { signal });
  }

  /** The names of those who are here, as far as the server tells them. */
  get names() {
    return [...this.#names];
  }

  get members() {
    return this.#members;
  }

  get token() {
    return this.#events.token;
  }

  [Symbol.asyncIterator]() {
    return this.#events;
  }

  /** @param {string} text @param {{ id?: string }} options */
  async say(text, { id } = {}) {
    if (this.#ended.signal.aborted) throw this.#ended.signal.reason;
    return this.#outgoing.say(text, id);
  }

  typing() {
    if (this.#connection.open) this.#connection.send(typing());
  }

  close() {
    this.#end(null);
  }

  /** Joins for the first time. @param {number} within ms; for each room once */
  async join(within) {
    const late = () => this.#end(new RoomError("unreachable", "The server did not answer in time."));
    const timer = within === Infinity ? undefined : setTimeout(late, within);
    /** @type {Promise<void>} */
    const joined = new Promise((resolve, reject) => ([this.#joined, this.#failed] = [resolve, reject]));
    this.#connection.connect();
    await joined.finally(() => clearTimeout(timer));
  }

  #begin(/** @type {Token | null} */ token) {
    this.#timeline = new Timeline();
    const known = { members: 0, limits: /** @type {any} */ ({}), reason: null, recovered: null, web: null };
    if (token) this.#timeline.ready({ kind: "ready", ...token, ...known });
  }

  /** What found no place in the queue comes from the history, now that there is place. */
  #behind() {
    this.#begin(this.#events.token);
    this.#connection.connect();
  }

  #moved(/** @type {Phase} */ phase) {
    if (phase.phase === "connecting") {
      this.#timeline.hold();
      this.#names.clear();
      this.#refusal = null;
    }
    if (phase.phase === "waiting") {
      this.#outgoing.closed();
      this.#add({ kind: "disconnected", code: phase.code, retryIn: phase.until - performance.now() });
    }
    if (phase.phase === "stopped") this.#end(endedBy(phase.code, this.#refusal));
  }

  #end(/** @type {Error | null} */ error) {
    if (this.#ended.signal.aborted) return;
    const reason = error ?? new RoomError("closed", "This room was left.");
    this.#ended.abort(reason);
    this.#connection.stop();
    this.#events.end(error);
    this.#outgoing.end(reason);
    this.#failed(reason);
  }

  #heard(/** @type {ServerEvent} */ event) {
    switch (event.kind) {
      case "line":
      case "lost":
      case "record":
        return this.#line(event);
      case "ready":
        return this.#ready(event);
      case "error":
        return this.#error(event);
      case "joined":
      case "quit":
      case "members":
        this.#roster(event);
        if (this.#connection.open) this.#add(event);
        return;
      case "typing":
        return this.#add(event);
    }
  }

  #roster(/** @type {RosterEvent} */ event) {
    if (event.kind === "joined") this.#names.add(event.name);
    if (event.kind === "quit") this.#names.delete(event.name);
    if (event.kind === "members") this.#members = event.count;
    if (event.kind === "members" && event.names) this.#names = new Set(event.names);
  }

  #line(/** @type {Stored} */ line) {
    const news = this.#timeline.take(line);
    if (news === "gap") return this.#connection.again();
    if (news === "held") return;
    if (news === "next") this.#add(this.#told(line, true), this.#timeline.token);
    this.#outgoing.heard(line, this.#told(line, true));
  }

  #ready(/** @type {Ready} */ ready) {
    const { continues, lines, reason } = this.#timeline.ready(ready);
    if (!continues && reason) this.#add({ kind: "reset", reason });
    for (const line of lines) this.#add(this.#told(line, false), line.kind === "lost" ? undefined : line);
    this.#members = ready.members;
    this.#outgoing.limit = ready.limits.message_chars;
    this.#add({ ...ready, recovered: continues, names: this.names }, this.#timeline.token);
    for (const line of lines) this.#outgoing.heard(line, this.#told(line, false));
    this.#joined();
    this.#outgoing.opened();
  }

  #error(/** @type {Refusal} */ refusal) {
    this.#refusal = refusal;
    const { id, code, text, retryAfter } = refusal;
    if (this.#connection.open) this.#add({ kind: "refused", id, code, text, retryAfter });
    this.#outgoing.refused(refusal);
  }

  /** @returns {Event} */
  #told(/** @type {Stored} */ line, /** @type {boolean} */ live) {
    return line.kind === "line" ? { ...line, live, mine: this.#outgoing.has(line.id) } : line;
  }

  #add(/** @type {Event} */ event, /** @type {Token | null | undefined} */ token = undefined) {
    this.#events.add(event, token);
  }
}

/** @type {typeof import("./client.d.ts").open} */
export async function open(url, name = "", { since = null, backlog = 100, storage = null, within = 10_000 } = {}) {
  const address = new URL(url);
  const room = roomOf(address.pathname);
  if (room === null) throw new TypeError(`${url} does not end in /room/ and a room's name`);
  address.protocol = address.protocol.replace(/^ws/, "http");
  const base = new URL(address.pathname.replace(/room\/[^/]+\/?$/, ""), address).href;
  const opened = new Room(socketOf(room, base), name, { since, backlog, storage, within });
  await opened.join(within);
  return opened;
}
