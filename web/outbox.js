/**
 * Messages that are not in the room yet. Each is stored under its own key until the line with its id comes back: a
 * reload, a crash or a second tab loses nothing. They are sent one at a time, to stay in order. The server stores an id
 * once, so sending again is safe. Times are ms, handed in.
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

  /** This name's entries, in the order in which they were typed. @returns {readonly Entry[]} */
  get entries() {
    return this.#entries;
  }

  reload() {
    const kept = this.#store.keys(this.#prefix).map((key) => /** @type {Entry | null} */ (this.#store.get(key)));
    const mine = kept.filter((entry) => entry !== null).filter((entry) => entry.name === this.#name);
    this.#entries = mine.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  }

  add(/** @type {string} */ text, id = newId()) {
    const order = 1 + Math.max(0, ...this.#entries.map((entry) => entry.order));
    const entry = { id, order, name: this.#name, text, failed: null };
    this.#entries.push(entry);
    this.#save(entry);
    return entry;
  }

  /** The entry to send now, if any; it is under way from then on. @returns {Entry | null} */
  next(/** @type {number} */ now) {
    if (this.due(now) !== 0) return null;
    const entry = this.#head();
    if (entry) this.#flight = { id: entry.id, since: now };
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
    if (at < 0) return false;
    this.#entries.splice(at, 1);
    this.#store.remove(this.#prefix + id);
    return true;
  }

  rename(/** @type {string} */ name) {
    if (name === this.#name) return;
    this.#name = name;
    for (const entry of this.#entries) this.#save(Object.assign(entry, { name }));
    this.reload();
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
  /** @type {Timer} */ #timer;
  /** @type {Timer} */ #doubt;

  constructor(/** @type {Outbox} */ outbox, /** @type {Channel} */ connection) {
    this.#outbox = outbox;
    this.#connection = connection;
  }

  /** Send what may go now; call again when the next may. Without an echo the connection may be dead: check it. */
  pump() {
    clearTimeout(this.#timer);
    if (!this.#connection.open) return;
    const entry = this.#outbox.next(performance.now());
    if (entry) {
      this.#connection.send(say(entry.text, entry.id));
      clearTimeout(this.#doubt);
      this.#doubt = setTimeout(() => this.#connection.hurry(), Delivery.DOUBT);
    }
    const wait = this.#outbox.due(performance.now());
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
