/** A Storage in memory, with a room of its own to run out of. */
import { Store } from "../../web/store.js";

export class MemoryStorage {
  /** @type {Map<string, string>} */ #items = new Map();
  full = false;

  getItem(/** @type {string} */ key) {
    return this.#items.get(key) ?? null;
  }

  setItem(/** @type {string} */ key, /** @type {string} */ value) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.#items.set(key, value);
    Object.defineProperty(this, key, { enumerable: true, configurable: true, value }); // as a browser's Storage does
  }

  removeItem(/** @type {string} */ key) {
    this.#items.delete(key);
    Reflect.deleteProperty(this, key);
  }
}

/** A store as a tab has it; two tabs of one browser are two stores over one area. */
export function storeOver(/** @type {MemoryStorage} */ area = new MemoryStorage()) {
  return new Store("/", /** @type {Storage} */ (/** @type {unknown} */ (area)));
}
