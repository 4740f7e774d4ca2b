/**
 * What this browser remembers: the name, drafts, the outbox, what was read, the rooms. A full or forbidden
 * localStorage breaks nothing: what does not fit is remembered by this tab alone.
 */
export class Store {
  #prefix;
  #area;
  /** @type {Map<string, string>} */ #shadow = new Map();

  /** `prefix` keeps two chats apart that are served from one origin. */
  constructor(/** @type {string} */ prefix, /** @type {Storage | null} */ area = openStorage("localStorage")) {
    this.#prefix = `edgechat:${prefix}:`;
    this.#area = area;
  }

  /** Did something not fit into the browser's storage? */
  get full() {
    return this.#shadow.size > 0;
  }

  /** @returns {unknown} the value as it was set, or null */
  get(/** @type {string} */ key) {
    const text = this.#shadow.get(this.#prefix + key) ?? this.#area?.getItem(this.#prefix + key) ?? "null";
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  set(/** @type {string} */ key, /** @type {unknown} */ value) {
    const [name, text] = [this.#prefix + key, JSON.stringify(value)];
    try {
      if (!this.#area) throw new Error("no storage");
      this.#area.setItem(name, text);
      this.#shadow.delete(name);
    } catch {
      this.#shadow.set(name, text);
    }
  }

  remove(/** @type {string} */ key) {
    this.#shadow.delete(this.#prefix + key);
    this.#area?.removeItem(this.#prefix + key);
  }

  /** The keys that begin with `start`, without the store's own prefix. */
  keys(/** @type {string} */ start) {
    const all = new Set([...Object.keys(this.#area ?? {}), ...this.#shadow.keys()]);
    return [...all].filter((key) => key.startsWith(this.#prefix + start)).map((key) => key.slice(this.#prefix.length));
  }

  /** Is this the browser's own key of one of ours? (A storage event names it.) */
  owns(/** @type {string | null} */ key, /** @type {string} */ start) {
    return key === null || key.startsWith(this.#prefix + start);
  }
}

/** @returns {Storage | null} null where the browser forbids it */
export function openStorage(/** @type {"localStorage" | "sessionStorage"} */ kind) {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null;
  }
}

const ROOMS_KEPT = 8;

/**
 * Who one is here. A tab keeps its own name through reloads, so that two tabs can be two people;
 * a new tab begins with the name used last. Rooms visited are remembered with it.
 */
export class Identity {
  #tab;
  #store;

  constructor(/** @type {Store} */ tab, /** @type {Store} */ store) {
    this.#tab = tab;
    this.#store = store;
  }

  get name() {
    return String(this.#tab.get("name") ?? this.#store.get("name") ?? "");
  }

  set name(/** @type {string} */ name) {
    this.#tab.set("name", name);
  }

  /** The name under which the server knows this tab: what is not sent yet belongs to it. */
  get accepted() {
    return String(this.#tab.get("accepted") ?? this.name);
  }

  /** The server took the name. A refused one is not remembered. */
  accept() {
    this.#tab.set("accepted", this.name);
    this.#store.set("name", this.name);
  }

  /** The rooms visited, the latest first. @returns {string[]} */
  get rooms() {
    const rooms = this.#store.get("rooms");
    return Array.isArray(rooms) ? rooms.filter((room) => typeof room === "string") : [];
  }

  visit(/** @type {string} */ room) {
    this.#store.set("rooms", [room, ...this.rooms.filter((other) => other !== room)].slice(0, ROOMS_KEPT));
  }

  forget(/** @type {string} */ room) {
    this.#store.set(
      "rooms",
      this.rooms.filter((other) => other !== room),
    );
  }
}
