/** One stay in a room: the parts, and which of them hears what. Nothing is decided here that a part could decide. */
import { Banner } from "./banner.js";
import { Company } from "./company.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { part } from "./element.js";
import { Timeline } from "./history.js";
import { apiOf, isPrivate, socketOf } from "./place.js";
import { hello, typing } from "./protocol.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("./room.js").World & { title: string }} Here */

export class Session {
  #root;
  #here;
  #refused;
  #timeline = new Timeline();
  #ended = new AbortController();
  #met = false;
  #banner;
  #connection;
  #delivery;
  #company;
  #composer;
  #transcript;

  /** @param {HTMLElement} root @param {Here} here @param {(complaint: string) => void} refused the server does not take this name */
  constructor(root, here, refused) {
    this.#root = root;
    this.#here = here;
    this.#refused = refused;
    this.#banner = new Banner(part(root, ".banner", HTMLElement), () => this.#connection.connect());
    this.#connection = new Connection(socketOf(here.room, document.baseURI), {
      hello: () => hello(here.identity.name, this.#timeline.token),
      heard: (event) => this.#heard(event),
      moved: (phase) => this.#moved(phase),
    });
    this.#transcript = new Transcript(root, here, () => this.#timeline.last);
    this.#delivery = new Delivery(root, here, this.#connection);
    this.#company = new Company(root, () => here.identity.name, (notice) => this.#transcript.notice(notice));
    this.#composer = this.#compose();
  }

  start() {
    this.#listen();
    this.#connection.connect();
    this.#composer.focus();
  }

  stop() {
    this.#ended.abort();
    this.#connection.stop();
  }

  #compose() {
    const { store, room, identity } = this.#here;
    const key = `draft:${room}`;
    const draft = { get: () => store.get(key), set: (/** @type {string} */ text) => (text ? store.set(key, text) : store.remove(key)) };
    return new Composer(part(this.#root, ".composer", HTMLElement), draft, {
      submit: (command) => this.#submit(command),
      typing: () => this.#connection.open && this.#connection.send(typing()),
      names: () => this.#company.names.filter((name) => name !== identity.name),
    });
  }

  #listen() {
    const { signal } = this.#ended;
    const { room } = this.#here;
    window.addEventListener("online", () => this.#connection.hurry(), { signal });
    window.addEventListener("focus", () => this.#transcript.seen(), { signal });
    window.addEventListener("hashchange", () => this.#transcript.linked(), { signal });
    window.addEventListener("storage", (event) => this.#delivery.stored(event, room), { signal });
    document.addEventListener("visibilitychange", () => this.#shown(), { signal });
    part(this.#root, ".skip", HTMLElement).addEventListener("click", () => this.#composer.focus(), { signal });
    const doors = { ".count": "people", ".share": "share", ".settings": "settings" };
    for (const [selector, what] of Object.entries(doors)) part(this.#root, selector, HTMLElement).addEventListener("click", () => this.#open(what), { signal });
  }

  #shown() {
    if (document.visibilityState !== "visible") return;
    this.#connection.hurry();
    this.#transcript.seen();
  }

  async #open(/** @type {string} */ what) {
    const dialogs = await import("./dialog.js");
    const { identity, room, store } = this.#here;
    if (what === "people") dialogs.openPeople(() => this.#company.entries());
    else if (what === "share") dialogs.openShare(location.origin + location.pathname, isPrivate(room));
    else if (what === "settings") dialogs.openSettings(identity.name, store, (name) => this.#rename(name));
    else dialogs.openHelp();
  }

  #moved(/** @type {import("./connection.js").Phase} */ phase) {
    this.#banner.moved(phase);
    part(this.#root, ".room", HTMLElement).dataset["phase"] = phase.phase;
    if (phase.phase === "connecting") {
      this.#timeline.hold();
      this.#company.begin();
    }
    if (phase.phase === "waiting" || phase.phase === "stopped") this.#delivery.closed();
    if (phase.phase === "waiting" && !this.#met) this.#probe();
  }

  /** A browser does not say why a socket was refused; the room's address does. */
  async #probe() {
    const answer = await fetch(apiOf(this.#here.room)).catch(() => null);
    if (!this.#met) this.#banner.answers = answer?.ok ?? false;
    if (answer?.status === 404 && !this.#met) this.#connection.stop(404);
  }

  #heard(/** @type {import("./protocol.js").ServerEvent} */ event) {
    switch (event.kind) {
      case "line":
      case "lost":
      case "record":
        return this.#line(event);
      case "ready":
        return this.#ready(event);
      case "error":
        return this.#error(event);
      case "joined":
      case "quit":
      case "members":
      case "typing":
        return this.#company.heard(event);
      case "pong":
      case "unknown":
        return;
      default:
        return /** @type {never} */ (event);
    }
  }

  #line(/** @type {import("./protocol.js").Stored} */ line) {
    const news = this.#timeline.take(line);
    if (news === "gap") return this.#connection.again();
    if (news === "held") return;
    if (news === "next") this.#add([line]);
    this.#delivery.heard(line);
  }

  #add(/** @type {import("./protocol.js").Stored[]} */ lines) {
    for (const line of lines) if (line.kind === "line") this.#company.said(line.name);
    this.#transcript.add(lines);
  }

  #ready(/** @type {import("./protocol.js").Ready} */ ready) {
    const { continues, lines, reason } = this.#timeline.ready(ready);
    if (continues) this.#add(lines);
    else this.#transcript.show(lines, reason);
    this.#company.complete(ready.members);
    this.#composer.limit = ready.limits.message_chars;
    this.#composer.measure();
    for (const line of lines) this.#delivery.heard(line);
    if (!this.#met) this.#here.identity.visit(this.#here.room);
    this.#met = true;
    this.#delivery.opened();
  }

  #error(/** @type {import("./protocol.js").Refusal} */ refusal) {
    if (refusal.code === "bad_name" || refusal.code === "name_too_long") return this.#refused(`refused.${refusal.code}`);
    this.#delivery.refused(refusal);
  }

  #submit(/** @type {import("./composer.js").Command} */ command) {
    switch (command.kind) {
      case "say":
        this.#delivery.say(command.text);
        this.#transcript.toEnd();
        return true;
      case "name":
        return this.#rename(command.name);
      case "rooms":
        location.assign("./");
        return true;
      case "help":
        this.#open("help");
        return true;
      case "unknown":
        this.#delivery.warn("compose.unknown", { command: command.command });
        return false;
    }
  }

  /** A name is part of the hello, so a new one takes a new connection; the token makes it continue. */
  #rename(/** @type {string} */ name) {
    if ([...name].length > 32) {
      this.#delivery.warn("error.name");
      return false;
    }
    this.#here.identity.name = name;
    this.#delivery.renamed(name);
    this.#connection.connect();
    return true;
  }
}
