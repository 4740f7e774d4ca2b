/** The messages on the page: rows, the unread line, the button to the newest, links to a message. */
import { pageOf } from "./addresses.js";
import { element, part } from "./dom.js";
import { HistoryWindow } from "./history-window.js";
import { MessageList } from "./message-list.js";
import { Scroll } from "./scroll.js";
import { phrase } from "./strings.js";
import { mentions } from "./text.js";
import { Unread, looked } from "./unread.js";

export class Transcript {
  #root;
  #here;
  #timeline;
  #list;
  #scroll;
  #window;
  #unread;
  /** Where one was before a link was followed; Infinity: at the end. @type {number | null} */ #origin = null;
  /** @type {Promise<Notifier> | null} */ #notifier = null;

  /** @param {HTMLElement} root @param {Here} here @param {import("./history.js").Timeline} timeline */
  constructor(root, here, timeline) {
    const { room, store } = here;
    const rows = part(root, ".log", HTMLElement);
    this.#root = root;
    this.#here = here;
    this.#timeline = timeline;
    this.#list = new MessageList(rows, { page: pageOf(room) + location.search, me: () => here.identity.name });
    this.#scroll = new Scroll(part(root, ".pane", HTMLElement), rows, () => this.#moved());
    this.#window = new HistoryWindow({
      list: this.#list,
      scroll: this.#scroll,
      pages: { read: async (where, seq) => new (await import("./pages.js")).Pages(room).read(where, seq) },
      newest: () => timeline.last,
      changed: (state) => this.#draw(state),
    });
    const kept = {
      get: () => store.get(`read:${room}`),
      set: (/** @type {[number, string]} */ place) => store.set(`read:${room}`, place),
    };
    this.#unread = new Unread(kept, (count, calls) => this.#notify((notifier) => notifier.unread(count, calls)));
    part(root, ".latest", HTMLButtonElement).addEventListener("click", () => this.#window.latest());
    part(root, ".missed", HTMLButtonElement).addEventListener("click", () => this.#toLeftOff());
    part(root, ".unreachable", HTMLButtonElement).addEventListener("click", () => this.#window.retry());
  }

  /** Show these lines only. `reason` says why a resume failed. */
  show(/** @type {Stored[]} */ lines, /** @type {string | null} */ reason) {
    if (reason === "forked" || this.#unread.isOther(lines, this.#timeline.last)) this.#unread.reset();
    this.#window.show(lines);
    if (reason)
      this.notice(element("p", { class: "notice" }, phrase(reason === "forked" ? "room.forked" : "room.missed")));
    this.#markLeftOff();
    this.linked();
    this.seen();
  }

  add(/** @type {Stored[]} */ lines) {
    this.#window.append(lines);
    for (const line of lines) if (!looked()) this.#missed(line);
    this.seen();
  }

  /** A line about joins and leaves; an empty one is left out. */
  notice(/** @type {HTMLElement} */ notice) {
    if (notice.hidden && this.#list.endsWithLine) return;
    if (this.#window.attached) this.#list.notice(notice);
    this.#scroll.follow();
  }

  seen() {
    this.#list.redate();
    if (looked() && this.#window.atEnd) this.#unread.read(this.#timeline.token);
  }

  /** The address names a message (#42): go there, or say that it can't be shown. */
  linked() {
    const told = part(this.#root, ".told", HTMLElement);
    told.textContent = "";
    for (const old of this.#root.querySelectorAll(".row.linked")) old.classList.remove("linked");
    const seq = /^#([1-9]\d*)$/.exec(location.hash)?.[1];
    if (!seq) return this.#back();
    this.#origin ??= this.#scroll.stuck ? Infinity : Number(this.#scroll.first?.getAttribute("data-seq"));
    this.#window.goTo(Number(seq), (row) => {
      if (row?.dataset["seq"] === seq && !row.matches(".lost")) row.classList.add("linked");
      else told.textContent = phrase("room.nothing", { seq });
    });
  }

  /** The address names no message any more. */
  #back() {
    const origin = this.#origin;
    this.#origin = null;
    if (origin === Infinity) this.#window.latest();
    else if (origin) this.#window.goTo(origin, () => {});
  }

  /** One's own message was sent. */
  toEnd() {
    this.#list.unmark();
    this.#window.latest();
  }

  continues(/** @type {string} */ name) {
    return this.#list.continues(name);
  }

  #moved() {
    this.#window.moved();
    this.seen();
    import("./date-pill.js").then(
      ({ showDate }) => showDate(this.#root, this.#scroll),
      () => {},
    );
  }

  #missed(/** @type {Stored} */ line) {
    if (line.kind !== "line" || line.name === this.#here.identity.name) return;
    const calls = mentions(line.message, this.#here.identity.name);
    const first = this.#unread.missed(line.seq, calls);
    if (first && this.#window.attached) this.#scroll.keep(() => this.#list.markAfter(line.seq - 1));
    this.#scroll.follow();
    if (calls) this.#notify((notifier) => notifier.called(line.name, this.#here.title));
  }

  /** After a join: the unread line, or a button to it if it is further up. */
  #markLeftOff() {
    const { leftOff } = this.#unread;
    const missed = leftOff ? this.#timeline.last - leftOff : 0;
    const further = leftOff + 1 < this.#list.first;
    part(this.#root, ".missed", HTMLElement).hidden = missed <= 0 || !further;
    part(this.#root, ".missed span", HTMLElement).textContent = phrase("log.unread", { count: missed });
    if (missed > 0 && !further) this.#revealIfAbove(this.#list.markAfter(leftOff));
  }

  #revealIfAbove(/** @type {HTMLElement | null} */ row) {
    this.#scroll.toEnd();
    if (row && this.#scroll.isAbove(row)) this.#scroll.reveal(row);
  }

  #toLeftOff() {
    part(this.#root, ".missed", HTMLElement).hidden = true;
    const { leftOff } = this.#unread;
    this.#window.goTo(leftOff + 1, () => {
      const row = this.#list.markAfter(leftOff);
      if (row) this.#scroll.reveal(row);
    });
  }

  /** @param {WindowState} state */
  #draw({ unseen, away, older, failed, empty }) {
    const latest = part(this.#root, ".latest", HTMLElement);
    latest.hidden = !unseen && !away;
    latest.classList.toggle("new", unseen > 0);
    latest.textContent = unseen ? `${phrase("log.new", { count: unseen })} ↓` : `${phrase("log.latest")} ↓`;
    const top = part(this.#root, ".beginning", HTMLElement);
    top.hidden = empty || failed;
    const begun = phrase("room.beginning", { room: this.#here.title });
    top.textContent = older ? phrase("room.loading") : begun;
    part(this.#root, ".unreachable", HTMLElement).hidden = !failed;
    part(this.#root, ".empty", HTMLElement).hidden = !empty;
  }

  /** Nothing is told while its module can't be loaded. */
  #notify(/** @type {(notifier: Notifier) => void} */ tell) {
    this.#notifier ??= import("./notify.js").then(({ Notifier }) => {
      const icon = part(document, "link[rel=icon]", HTMLLinkElement);
      return new Notifier(this.#here.title, icon, this.#here.store);
    });
    this.#notifier.then(tell, () => (this.#notifier = null));
  }
}
