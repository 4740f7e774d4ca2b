/**
 * Messages that are not in the room yet, each under a key of its own until the line with its id comes back. One is
 * under way at a time. The server stores an id once, so sending again is safe. Times are ms, handed in.
 */
import { afterRefusal, say } from "./protocol.js";

export class Outbox {
  static RESEND = 8_000;
  static PAUSE = 3_000;
  #store;
  #prefix;
  #name;
  /** @type {Entry[]} */ #entries = [];
  /** @type {{ id: string, since: number } | null} */ #flight = null;
  #notBefore = 0;

  constructor(/** @type {Area} */ store, /** @type {string} */ room, /** @type {string} */ name) {
    this.#store = store;
    this.#prefix = `outbox:${room}:`;
    this.#name = name;
    this.reload();
  }

  /** This name's entries, in their order. @returns {readonly Entry[]} */
  get entries() {
    return this.#entries;
  }

  /** Entries of other names. */
  get strays() {
    return this.#kept().filter((entry) => entry.name !== this.#name);
  }

  reload() {
    this.#entries = this.#kept().filter((entry) => entry.name === this.#name);
  }

  /** Send another name's entry as one's own. */
  adopt(/** @type {Entry} */ { id, text }) {
    this.#save({ id, order: this.#last + 1, name: this.#name, text, failed: null });
    this.reload();
  }

  add(/** @type {string} */ text, id = newId()) {
    const entry = { id, order: this.#last + 1, name: this.#name, text, failed: null };
    this.#entries.push(entry);
    this.#save(entry);
    return entry;
  }

  /** The entry to send now, if any. @returns {Entry | null} */
  next(/** @type {number} */ now) {
    if (this.due(now) !== 0) return null;
    const entry = this.#head();
    if (!entry) return null;
    this.#flight = { id: entry.id, since: now };
    if (!entry.sent) this.#save(Object.assign(entry, { sent: true }));
    return entry;
  }

  /** Call `next` again in so many ms; null: after the next event. */
  due(/** @type {number} */ now) {
    const head = this.#head();
    if (!head) return null;
    const echo = this.#flight?.id === head.id ? this.#flight.since + Outbox.RESEND : 0;
    return Math.max(0, echo - now, this.#notBefore - now);
  }

  delivered(/** @type {string} */ id) {
    this.#notBefore = this.#flight?.id === id ? 0 : this.#notBefore;
    return this.remove(id);
  }

  refused(/** @type {{ id: string | null, code: string, retryAfter: number }} */ refusal, /** @type {number} */ now) {
    const id = refusal.id ?? this.#flight?.id;
    const entry = this.#entries.find((each) => each.id === id);
    if (!entry) return;
    const fate = afterRefusal(refusal.code);
    if (fate === "delivered") this.remove(entry.id);
    else if (fate === "failed") this.#mark(entry, refusal.code);
    else this.#notBefore = now + (refusal.retryAfter || Outbox.PAUSE);
    this.#flight = null;
  }

  disconnected() {
    this.#flight = null;
    this.#notBefore = 0;
  }

  retry(/** @type {string} */ id) {
    const entry = this.#entries.find((each) => each.id === id);
    if (entry) this.#mark(entry, null);
  }

  remove(/** @type {string} */ id) {
    const at = this.#entries.findIndex((entry) => entry.id === id);
    if (this.#flight?.id === id) this.#flight = null;
    this.#store.remove(this.#prefix + id);
    if (at >= 0) this.#entries.splice(at, 1);
    return at >= 0;
  }

  rename(/** @type {string} */ name) {
    if (name === this.#name) return;
    this.#name = name;
    for (const entry of this.#entries) this.#save(Object.assign(entry, { name }));
    this.reload();
  }

  get #last() {
    return Math.max(0, ...this.#entries.map((entry) => entry.order));
  }

  #kept() {
    const kept = this.#store.keys(this.#prefix).map((key) => /** @type {Entry | null} */ (this.#store.get(key)));
    return kept.filter((entry) => entry !== null).sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  }

  #head() {
    return this.#entries.find((entry) => entry.failed === null) ?? null;
  }

  #mark(/** @type {Entry} */ entry, /** @type {string | null} */ failed) {
    entry.failed = failed;
    this.#save(entry);
  }

  #save(/** @type {Entry} */ entry) {
    this.#store.set(this.#prefix + entry.id, entry);
  }
}

/** Sends an outbox, one entry at a time. */
export class Delivery {
  static DOUBT = 3_000;
  #outbox;
  #connection;
  #pumped;
  /** @type {Timer} */ #timer;
  /** @type {Timer} */ #doubt;

  /** @param {Outbox} outbox @param {Channel} connection @param {() => void} pumped is called after each `pump` */
  constructor(outbox, connection, pumped = () => {}) {
    this.#outbox = outbox;
    this.#connection = connection;
    this.#pumped = pumped;
  }

  /** Send what may go now; call again when the next may. Without an echo the connection may be dead: check it. */
  pump() {
    clearTimeout(this.#timer);
    const entry = this.#connection.open && this.#outbox.next(performance.now());
    if (entry) {
      this.#connection.send(say(entry.text, entry.id));
      clearTimeout(this.#doubt);
      this.#doubt = setTimeout(() => this.#connection.hurry(), Delivery.DOUBT);
    }
    this.#pumped();
    const wait = this.#connection.open ? this.#outbox.due(performance.now()) : null;
    if (wait !== null) this.#timer = setTimeout(() => this.pump(), wait);
  }

  /** A line with the id of an entry acknowledges it: true. */
  heard(/** @type {Stored} */ line) {
    if (line.kind !== "line" || !line.id || !this.#outbox.delivered(line.id)) return false;
    clearTimeout(this.#doubt);
    return true;
  }

  closed() {
    clearTimeout(this.#timer);
    clearTimeout(this.#doubt);
    this.#outbox.disconnected();
  }
}

/** 128 random bits. `crypto.randomUUID` is missing on plain http outside localhost. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
