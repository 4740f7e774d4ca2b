/** Sends what was typed: the outbox, its rows, its timer, and what is said about a refusal. */
import { part } from "./dom.js";
import { OutboxRows } from "./outbox-rows.js";
import { Outbox } from "./outbox.js";
import { say } from "./protocol.js";
import { ENGLISH, phrase } from "./strings.js";

export class Sender {
  static DOUBT = 3_000;
  #connection;
  #continues;
  #outbox;
  #rows;
  #alert;
  #store;
  #room;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #doubt;

  /**
   * @param {HTMLElement} root @param {Here} here
   * @param {Pick<import("./connection.js").Connection, "open" | "send" | "hurry">} connection
   * @param {(name: string) => boolean} continues would this name's next message be grouped with the last one?
   */
  constructor(root, { store, room, identity }, connection, continues) {
    this.#continues = continues;
    this.#connection = connection;
    this.#store = store;
    this.#room = room;
    this.#outbox = new Outbox(store, room, identity.accepted);
    this.#alert = part(root, ".alert", HTMLElement);
    this.#rows = new OutboxRows(part(root, ".outbox", HTMLElement), {
      retry: (id) => this.#change(() => this.#outbox.retry(id)),
      remove: (id) => this.#change(() => this.#outbox.remove(id)),
    });
    this.#change(() => {});
  }

  say(/** @type {string} */ text) {
    this.#change(() => this.#outbox.add(text));
    this.warn(this.#store.full ? "storage.full" : "");
  }

  /** A line with the id of an entry acknowledges it. */
  heard(/** @type {Stored} */ line) {
    if (line.kind !== "line" || !line.id || !this.#outbox.delivered(line.id)) return;
    clearTimeout(this.#doubt);
    this.warn("");
    this.#change(() => {});
  }

  refused(/** @type {Refusal} */ refusal) {
    this.#change(() => this.#outbox.refused(refusal, performance.now()));
    if (!this.#outbox.entries.some((entry) => entry.failed === refusal.code)) this.#warnOf(refusal);
  }

  /** The server accepted this name: send what waits under it. */
  opened(/** @type {string} */ name) {
    this.warn("");
    this.#change(() => this.#outbox.rename(name));
  }

  closed() {
    clearTimeout(this.#doubt);
    this.#outbox.disconnected();
  }

  stored(/** @type {StorageEvent} */ event) {
    if (this.#store.owns(event.key, `outbox:${this.#room}:`)) this.#change(() => this.#outbox.reload());
  }

  /** Show a text above the field; an empty key clears it. */
  warn(/** @type {string} */ key, /** @type {Record<string, string>} */ values = {}) {
    this.#alert.textContent = key && phrase(key, values);
  }

  #warnOf(/** @type {Refusal} */ { code, text }) {
    const key = `refused.${code}`;
    if (key in ENGLISH) this.warn(key);
    else this.#alert.textContent = text;
  }

  #change(/** @type {() => void} */ change) {
    change();
    this.#rows.show(this.#outbox.entries, this.#continues);
    this.#pump();
  }

  /** Without an echo the connection may be dead: check it. */
  #send(/** @type {Entry} */ { text, id }) {
    this.#connection.send(say(text, id));
    clearTimeout(this.#doubt);
    this.#doubt = setTimeout(() => this.#connection.hurry(), Sender.DOUBT);
  }

  /** Send what may go now; call again when the next may. */
  #pump() {
    clearTimeout(this.#timer);
    if (!this.#connection.open) return;
    const entry = this.#outbox.next(performance.now());
    if (entry) this.#send(entry);
    const wait = this.#outbox.due(performance.now());
    if (wait !== null) this.#timer = setTimeout(() => this.#pump(), wait);
  }
}
