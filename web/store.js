/** The browser's storage. If it is full or forbidden, this tab remembers what does not fit. */
import { cleanName } from "./names.js";

export class Store {
  #prefix;
  #area;
  /** @type {Map<string, string>} */ #shadow = new Map();

  /** `prefix` keeps two chats apart that are served from one origin. */
  constructor(/** @type {string} */ prefix, /** @type {Storage | null} */ area = openStorage("localStorage")) {
    this.#prefix = `edgechat:${prefix}:`;
    this.#area = area;
  }

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

  keys(/** @type {string} */ start) {
    const all = new Set([...Object.keys(this.#area ?? {}), ...this.#shadow.keys()]);
    return [...all].filter((key) => key.startsWith(this.#prefix + start)).map((key) => key.slice(this.#prefix.length));
  }

  /** Is the key of a storage event one of ours? */
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

/** Who one is: a tab keeps its name through reloads, a new tab begins with the last name. And the rooms visited. */
export class Identity {
  #tab;
  #store;

  constructor(/** @type {Store} */ tab, /** @type {Store} */ store) {
    this.#tab = tab;
    this.#store = store;
  }

  get name() {
    return cleanName(String(this.#tab.get("name") ?? this.#store.get("name") ?? ""));
  }

  set name(/** @type {string} */ name) {
    this.#tab.set("name", name);
  }

  /** The last name that the server accepted: unsent messages belong to it. */
  get accepted() {
    return String(this.#tab.get("accepted") ?? this.name);
  }

  /** The server accepted the name. */
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

/** A room's unsent text. Each tab has its own; a new tab begins with the last one written. */
export class Draft {
  static #TABS = 5;
  #tab;
  #shared;
  #key;

  /** @param {Store} tab @param {Store} shared @param {string} room */
  constructor(tab, shared, room) {
    this.#tab = tab;
    this.#shared = shared;
    this.#key = `draft:${room}`;
  }

  get() {
    return String(this.#tab.get(this.#key) ?? this.#all[0] ?? "");
  }

  set(/** @type {string} */ text) {
    const others = this.#all.filter((each) => each !== this.#tab.get(this.#key) && each !== text);
    this.#tab.set(this.#key, text);
    this.#shared.set(this.#key, [text, ...others].filter(Boolean).slice(0, Draft.#TABS));
  }

  /** Of all tabs, the latest first. */
  get #all() {
    return [this.#shared.get(this.#key) ?? []].flat();
  }
}
