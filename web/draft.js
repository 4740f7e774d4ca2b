/** What was typed into a room's field and not sent yet, kept in the browser's storage. */
export class Draft {
  #store;
  #key;

  constructor(/** @type {import("./store.js").Store} */ store, /** @type {string} */ room) {
    this.#store = store;
    this.#key = `draft:${room}`;
  }

  get() {
    return this.#store.get(this.#key);
  }

  set(/** @type {string} */ text) {
    if (text) this.#store.set(this.#key, text);
    else this.#store.remove(this.#key);
  }
}
