/** What a program says in a room: each message with the promise of its stored line. */
import { Delivery, Outbox } from "./outbox.js";
import { Refused } from "./room-error.js";
import { Store } from "./store.js";

/** @typedef {import("./client.d.ts").Message} Message */
/** @typedef {{ text: string, resolve: (line: Message) => void, reject: (error: Error) => void }} Waiting */

export class Outgoing {
  /** In how many lines the server knows an id again. */
  static #REMEMBERED = 10_000;
  /** @type {Set<string>} */ #ids = new Set();
  /** @type {Map<string, Waiting>} */ #waiting = new Map();
  #outbox;
  #delivery;
  /** In code points, as the server counts. */
  limit = Infinity;

  /** @param {Channel} connection @param {Storage | null} storage @param {string | URL} address @param {string} name */
  constructor(connection, storage, address, name) {
    this.#outbox = new Outbox(new Store(`client:${address}`, storage), "", name);
    this.#delivery = new Delivery(this.#outbox, connection);
    for (const { id } of this.#outbox.entries) this.#remember(id);
  }

  /** The server would close the connection for a frame that is much too long. @returns {Promise<Message>} */
  say(/** @type {string} */ text, /** @type {string | undefined} */ id) {
    if (id !== undefined && this.#waiting.has(id)) throw new TypeError(`${id} is being said already`);
    if ([...text].length > this.limit) throw new Refused("message_too_long", `More than ${this.limit} characters.`);
    const entry = this.#outbox.add(text, id);
    this.#remember(entry.id);
    const said = new Promise((resolve, reject) => this.#waiting.set(entry.id, { text, resolve, reject }));
    this.#delivery.pump();
    return said;
  }

  /** Did this client say it? */
  has(/** @type {string | null} */ id) {
    return id !== null && this.#ids.has(id);
  }

  /** The room is joined. */
  opened() {
    this.#delivery.pump();
  }

  closed() {
    this.#delivery.closed();
  }

  /** A line came; `told` is what its sender gets. */
  heard(/** @type {Stored} */ line, /** @type {import("./client.d.ts").Event} */ told) {
    this.#delivery.heard(line);
    if (told.kind === "line" && told.id !== null) {
      const waiting = this.#waiting.get(told.id);
      this.#waiting.delete(told.id);
      if (told.message === waiting?.text) waiting.resolve(told);
      else waiting?.reject(new Refused("id_conflict", "Another message has this id."));
    }
    this.#delivery.pump();
  }

  /** What is refused for good is taken out; the rest waits. */
  refused(/** @type {Refusal} */ refusal) {
    this.#outbox.refused(refusal, performance.now());
    const fates = new Map(this.#outbox.entries.map((entry) => [entry.id, entry.failed]));
    for (const [id, { reject }] of this.#waiting) {
      if (fates.get(id) === null) continue;
      this.#waiting.delete(id);
      this.#outbox.remove(id);
      reject(new Refused(refusal.code, refusal.text));
    }
    this.#delivery.pump();
  }

  /** The room is over. */
  end(/** @type {Error} */ reason) {
    this.#delivery.closed();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #remember(/** @type {string} */ id) {
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > Outgoing.#REMEMBERED && oldest) this.#ids.delete(oldest);
  }
}
