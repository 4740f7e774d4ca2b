/** The people of a room on the page: the list, the count, who types, joins and leaves. */
import { element, part } from "./dom.js";
import { avatar } from "./names.js";
import { Roster } from "./roster.js";
import { phrase } from "./strings.js";

export class People {
  #roster = new Roster();
  /** Joins and leaves since the last message. @type {import("./comings.js").Comings | null} */ #comings = null;
  #count;
  /** @type {HTMLElement[]} */ #lists;
  #line;
  /** @type {import("./typing.js").TypingLine | null} */ #typing = null;
  #me;
  #notice;
  #frame = 0;
  /** By HTTP (http-socket.js) nobody is told who is here. */
  http = false;

  constructor(
    /** @type {HTMLElement} */ root,
    /** @type {() => string} */ me,
    /** @type {(line: HTMLElement) => void} of joins and leaves */ notice,
  ) {
    this.#count = part(root, ".count", HTMLElement);
    this.#lists = [part(root, ".people ul", HTMLElement)];
    this.#line = part(root, ".typing", HTMLElement);
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
        if (this.#roster.joined(event.name)) this.#moved("came", event.name);
        break;
      case "quit":
        if (this.#roster.quit(event.name)) this.#moved("left", event.name);
        break;
      case "members":
        this.#roster.counted(event.count, event.names);
        this.#draw();
        break;
      case "typing":
        this.#typed(event.names);
    }
  }

  /** After a message its writer does not type, and a new notice begins. */
  said(/** @type {string} */ name) {
    this.#comings = null;
    this.#typing?.said(name);
  }

  /** Show the list here too, as long as it is in the page. */
  drawIn(/** @type {HTMLElement} */ list) {
    this.#lists.push(list);
    this.#drawNow();
  }

  #entries() {
    const me = this.#me();
    const names = this.names.sort((a, b) => Number(b === me) - Number(a === me)); // oneself first
    const entries = names.map((name) =>
      element(
        "li",
        {},
        avatar(name),
        element("bdi", {}, name),
        name === me ? element("span", { class: "you" }, phrase("room.you")) : null,
      ),
    );
    const more = this.http ? "room.http" : this.#roster.crowded && "room.crowd";
    return more ? [...entries, element("li", { class: "crowd" }, phrase(more))] : entries;
  }

  #moved(/** @type {"came" | "left"} */ how, /** @type {string} */ name) {
    this.#draw();
    import("./comings.js").then(
      ({ Comings, noticeOf }) => {
        this.#comings ??= new Comings();
        this.#comings[how](name);
        this.#notice(noticeOf(this.#comings));
      },
      () => {},
    );
  }

  #typed(/** @type {string[]} */ names) {
    import("./typing.js").then(
      ({ TypingLine }) => {
        this.#typing ??= new TypingLine(this.#line);
        this.#typing.heard(names, this.#me());
      },
      () => {},
    );
  }

  /** Once a frame: after a restart everybody joins at once. */
  #draw() {
    this.#frame ||= requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    this.#frame = 0;
    this.#count.textContent = phrase("room.here", { count: this.#roster.count });
    this.#lists = this.#lists.filter((list) => list.isConnected);
    for (const list of this.#lists) list.replaceChildren(...this.#entries());
  }
}
