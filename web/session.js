/** One stay in a room: its parts, and which of them handles what. */
import { socketOf } from "./addresses.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { addStyles, part } from "./dom.js";
import { Timeline } from "./history.js";
import { People } from "./people.js";
import { cleanName, isName } from "./names.js";
import { hello, typing } from "./protocol.js";
import { Sender } from "./sender.js";
import { Draft } from "./store.js";
import { Transcript } from "./transcript.js";

export class Session {
  #root;
  #here;
  #refused;
  #timeline = new Timeline();
  #ended = new AbortController();
  #met = false;
  #banner;
  #connection;
  #sender;
  #people;
  #composer;
  #transcript;

  /** @param {HTMLElement} root @param {Here} here @param {(complaint: string) => void} refused for a refused name */
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
    this.#transcript = new Transcript(root, here, this.#timeline);
    this.#sender = new Sender(root, here, {
      connection: this.#connection,
      continues: (name) => this.#transcript.continues(name),
      edit: (text) => this.#composer.restore(text),
    });
    this.#people = new People(root, () => here.identity.name, (notice) => this.#transcript.notice(notice));
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
    const { store, tab, room, identity } = this.#here;
    return new Composer(part(this.#root, ".composer", HTMLElement), new Draft(tab, store, room), {
      submit: (command) => this.#submit(command),
      typing: () => this.#connection.open && this.#connection.send(typing()),
      files: () => this.#sender.warn("compose.files"),
      names: () => this.#people.names.filter((name) => name !== identity.name),
    });
  }

  #listen() {
    const { signal } = this.#ended;
    window.addEventListener("online", () => this.#connection.hurry(), { signal });
    window.addEventListener("focus", () => this.#transcript.seen(), { signal });
    window.addEventListener("hashchange", () => this.#transcript.linked(), { signal });
    window.addEventListener("storage", (event) => this.#sender.stored(event), { signal });
    document.addEventListener("visibilitychange", () => this.#shown(), { signal });
    part(this.#root, ".updated", HTMLElement).addEventListener("click", () => location.reload(), { signal });
    part(this.#root, ".skip", HTMLElement).addEventListener("click", () => this.#composer.focus(), { signal });
    for (const button of this.#root.querySelectorAll("[data-dialog]"))
      button.addEventListener("click", () => this.#open(button.getAttribute("data-dialog") ?? ""), { signal });
  }

  #shown() {
    if (document.visibilityState !== "visible") return;
    this.#connection.hurry();
    this.#transcript.seen();
  }

  async #open(/** @type {string} */ name) {
    const module = await import("./dialog.js").catch(() => this.#sender.warn("page.failed"));
    module?.open(name, this.#here, { people: this.#people, rename: (chosen) => this.#rename(chosen) });
  }

  #moved(/** @type {Phase} */ phase) {
    this.#banner.moved(phase);
    this.#people.http = phase.phase === "open" && phase.http;
    Object.assign(part(this.#root, ".room", HTMLElement).dataset, { code: 0, ...phase });
    if ("code" in phase && phase.code === 404) addStyles("gone.css");
    if (phase.phase === "connecting") {
      this.#timeline.hold();
      this.#people.begin();
    }
    if (phase.phase === "waiting" || phase.phase === "stopped") this.#sender.closed();
  }

  #heard(/** @type {ServerEvent} */ event) {
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
        return this.#people.heard(event);
    }
  }

  #line(/** @type {Stored} */ line) {
    const news = this.#timeline.take(line);
    if (news === "gap") return this.#connection.again();
    if (news === "held") return;
    if (news === "next") this.#add([line]);
    this.#sender.heard(line);
  }

  #add(/** @type {Stored[]} */ lines) {
    for (const line of lines) if (line.kind === "line") this.#people.said(line.name);
    this.#transcript.add(lines);
  }

  #ready(/** @type {Ready} */ ready) {
    const { continues, lines, reason } = this.#timeline.ready(ready);
    if (continues) this.#add(lines);
    else this.#transcript.show(lines, reason);
    this.#people.complete(ready.members);
    this.#composer.measure(ready.limits.message_chars);
    for (const line of lines) this.#sender.heard(line);
    if (!this.#met) this.#here.identity.visit(this.#here.room);
    this.#met = true;
    this.#here.identity.accept();
    this.#sender.opened(this.#here.identity.name);
    part(this.#root, ".updated", HTMLElement).hidden = !ready.web || import.meta.url.includes(`/${ready.web}/`);
  }

  #error(/** @type {Refusal} */ refusal) {
    const { code } = refusal;
    if (code === "bad_name" || code === "name_too_long") return this.#refused(`refused.${code}`);
    if (!this.#connection.open) this.#banner.refusal = code;
    this.#sender.refused(refusal);
  }

  #submit(/** @type {Command} */ wanted) {
    this.#sender.warn("");
    switch (wanted.kind) {
      case "say":
        this.#sender.say(wanted.text);
        this.#transcript.toEnd();
        return true;
      case "name":
        return this.#rename(wanted.name);
      case "rooms":
        location.assign("./");
        return true;
      case "help":
        this.#open("help");
        return true;
      case "unknown":
        this.#sender.warn("compose.unknown", { command: wanted.command });
        return false;
    }
  }

  /** The hello carries the name: a new one needs a new connection. */
  #rename(/** @type {string} */ typed) {
    const name = cleanName(typed);
    this.#sender.warn(isName(name) ? "" : "error.name");
    if (!isName(name)) return false;
    this.#here.identity.name = name;
    this.#connection.connect();
    return true;
  }
}
