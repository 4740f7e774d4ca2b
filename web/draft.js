/**
 * What was typed into a room's field and not sent. Each tab has its own, as two tabs can be two people; a new tab
 * begins with the one written last.
 */
export class Draft {
  #tab;
  #shared;
  #key;

  /** @param {Area} tab @param {Area} shared @param {string} room */
  constructor(tab, shared, room) {
    this.#tab = tab;
    this.#shared = shared;
    this.#key = `draft:${room}`;
  }

  get() {
    return String(this.#tab.get(this.#key) ?? this.#shared.get(this.#key) ?? "");
  }

  /** An emptied field takes the shared draft away only if it is this tab's. */
  set(/** @type {string} */ text) {
    const mine = this.#tab.get(this.#key);
    this.#tab.set(this.#key, text);
    if (text) this.#shared.set(this.#key, text);
    else if (this.#shared.get(this.#key) === mine) this.#shared.remove(this.#key);
  }
}
