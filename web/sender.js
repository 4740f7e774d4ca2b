/** Sends what was typed: the outbox, its rows, and what is said about a refusal. */
import { part } from "./dom.js";
import { OutboxRows } from "./outbox-rows.js";
import { Delivery, Outbox } from "./outbox.js";
import { ENGLISH, phrase } from "./strings.js";

export class Sender {
  #continues;
  #outbox;
  #rows;
  #alert;
  #store;
  #room;
  #delivery;

  /**
   * @param {HTMLElement} root @param {Here} here @param {Channel} connection
   * @param {(name: string) => boolean} continues would this name's next message be grouped with the last one?
   */
  constructor(root, { store, room, identity }, connection, continues) {
    this.#continues = continues;
    this.#store = store;
    this.#room = room;
    this.#outbox = new Outbox(store, room, identity.accepted);
    this.#delivery = new Delivery(this.#outbox, connection);
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
    if (!this.#delivery.heard(line)) return;
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
    this.#delivery.closed();
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
    this.#delivery.pump();
  }
}
