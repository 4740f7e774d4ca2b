/** Sends what was typed: the outbox, its rows, and what is said about a refusal. */
import { part } from "./dom.js";
import { OutboxRows } from "./outbox-rows.js";
import { Delivery, Outbox } from "./outbox.js";
import { ENGLISH, phrase } from "./strings.js";

export class Sender {
  #outbox;
  #rows;
  #alert;
  #store;
  #room;
  #delivery;
  #strays;
  /** @type {EntryActions} */ #actions;

  constructor(
    /** @type {HTMLElement} */ root,
    /** @type {Here} */ { store, room, identity },
    /** @type {SenderParts} */ { connection, continues, edit },
  ) {
    this.#store = store;
    this.#room = room;
    this.#outbox = new Outbox(store, room, identity.accepted);
    const show = () => this.#rows.show(this.#outbox.entries, continues);
    this.#delivery = new Delivery(this.#outbox, connection, show);
    this.#alert = part(root, ".alert", HTMLElement);
    this.#strays = part(root, ".strays", HTMLElement);
    this.#actions = {
      retry: ({ id }) => this.#change(() => this.#outbox.retry(id)),
      adopt: (entry) => this.#change(() => this.#outbox.adopt(entry)),
      remove: ({ id }) => this.#change(() => this.#outbox.remove(id)),
      edit: ({ id, text }) => {
        this.#change(() => this.#outbox.remove(id));
        edit(text);
      },
    };
    this.#rows = new OutboxRows(part(root, ".outbox", HTMLElement), this.#actions);
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
    if (this.#outbox.strays.length)
      import("./strays.js").then((module) => module.watchStrays(this.#strays, this.#outbox, this.#actions), () => {});
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
    this.#delivery.pump();
  }
}
