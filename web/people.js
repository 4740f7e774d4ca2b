/** The people of a room on the page: the list, the count, who types, joins and leaves. */
import { element, part } from "./dom.js";
import { avatar } from "./names.js";
import { Comings, Roster, Typists, listed } from "./roster.js";
import { phrase } from "./strings.js";

export class People {
  #roster = new Roster();
  #typists = new Typists();
  #comings = new Comings();
  #count;
  #list;
  #typing;
  #me;
  #notice;
  #frame = 0;
  /** By HTTP (http-socket.js) nobody is told who is here. */
  http = false;
  /** @type {Timer} */ #quiet;

  /**
   * @param {HTMLElement} root @param {() => string} me
   * @param {(element: HTMLElement) => void} notice gets the line about joins and leaves
   */
  constructor(root, me, notice) {
    this.#count = part(root, ".count", HTMLElement);
    this.#list = part(root, ".people ul", HTMLElement);
    this.#typing = part(root, ".typing", HTMLElement);
    this.#me = me;
    this.#notice = notice;
  }

  get names() {
    return this.#roster.names;
  }

  begin() {
    this.#roster.begin();
  }

  complete(/** @type {number} */ sessions) {
    this.#roster.complete(sessions);
    this.#draw();
  }

  heard(/** @type {RosterEvent} */ event) {
    switch (event.kind) {
      case "joined":
        if (this.#roster.joined(event.name)) this.#moved(() => this.#comings.came(event.name));
        break;
      case "quit":
        if (this.#roster.quit(event.name)) this.#moved(() => this.#comings.left(event.name));
        break;
      case "members":
        this.#roster.counted(event.count, event.names);
        this.#draw();
        break;
      case "typing":
        this.#typists.heard(event.names, this.#me(), performance.now());
        this.#drawTyping();
    }
  }

  /** After a message its writer does not type, and a new notice begins. */
  said(/** @type {string} */ name) {
    this.#comings = new Comings();
    this.#typists.said(name);
    if (this.#typing.textContent) this.#drawTyping();
  }

  entries() {
    const entries = this.names.map((name) =>
      element(
        "li",
        {},
        avatar(name),
        element("bdi", {}, name),
        name === this.#me() ? element("span", { class: "you" }, phrase("room.you")) : null,
      ),
    );
    const more = this.http ? "room.http" : this.#roster.crowded && "room.crowd";
    return more ? [...entries, element("li", { class: "crowd" }, phrase(more))] : entries;
  }

  #moved(/** @type {() => void} */ note) {
    note();
    this.#draw();
    const { joined, left, passed } = this.#comings.summary;
    const told = [
      ["joined", joined],
      ["quit", left],
      ["passed", passed],
    ].filter(([, names]) => names?.length);
    const texts = told.map(([what, names]) =>
      phrase(`log.${what}`, { names: listed(/** @type {string[]} */ (names)) }),
    );
    this.#notice(element("p", { class: "notice", dir: "auto", hidden: texts.length === 0 }, texts.join(" · ")));
  }

  /** Once a frame: after a restart everybody joins at once. */
  #draw() {
    this.#frame ||= requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    this.#frame = 0;
    this.#count.textContent = phrase("room.here", { count: this.#roster.count });
    this.#list.replaceChildren(...this.entries());
  }

  #drawTyping() {
    clearTimeout(this.#quiet);
    const names = this.#typists.at(performance.now());
    const text =
      names.length > 3 ? phrase("typing.many") : phrase("typing.some", { names: listed(names), count: names.length });
    this.#typing.textContent = names.length ? text : "";
    if (names.length) this.#quiet = setTimeout(() => this.#drawTyping(), Typists.FOR + 50);
  }
}
