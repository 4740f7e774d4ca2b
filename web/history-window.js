/**
 * The window of history that the page holds, about 500 rows of however many there are, moved along by reading.
 * It is `attached` while it ends at the newest line; reading far up detaches it, and what arrives is only counted.
 */

/** @typedef {import("./protocol.js").Stored} Stored */
/** @typedef {{ unseen: number, away: boolean, older: boolean, failed: boolean, empty: boolean }} State */
/**
 * @typedef {object} Parts
 * @property {import("./message-list.js").MessageList} list
 * @property {import("./scroll.js").Scroll} scroll
 * @property {Pick<import("./history.js").Pages, "read">} pages
 * @property {() => number} newest the seq of the room's newest line
 * @property {(state: State) => void} changed
 */

export class HistoryWindow {
  static ROWS = 500;
  /** Rows are taken away so many at once: the row that becomes the first gets its day written above it. */
  static #SLACK = 25;
  #parts;
  #attached = true;
  #older = false;
  #busy = false;
  #failed = false;
  #unseen = 0;
  /** The state that was handed to `changed` last. */
  #told = "";

  constructor(/** @type {Parts} */ parts) {
    this.#parts = parts;
  }

  get attached() {
    return this.#attached;
  }

  /** Is the newest line in view? */
  get atEnd() {
    return this.#attached && this.#parts.scroll.stuck;
  }

  /** Begin with these lines, the newest there are. */
  show(/** @type {Stored[]} */ lines) {
    this.#replace(lines, true);
    this.#parts.scroll.toEnd();
    this.#tell();
  }

  /** Lines that were just said. */
  append(/** @type {Stored[]} */ lines) {
    const { list, scroll } = this.#parts;
    if (!scroll.stuck && this.#attached && list.size + lines.length > HistoryWindow.ROWS + HistoryWindow.ROWS / 10)
      this.#attached = false;
    if (!this.atEnd) this.#unseen += lines.length;
    if (this.#attached) list.append(lines);
    if (this.atEnd && list.size > HistoryWindow.ROWS + HistoryWindow.#SLACK) list.trimStart(HistoryWindow.ROWS);
    scroll.follow();
    this.#tell();
  }

  /** The reader moved: fetch what comes into reach. */
  async moved() {
    const { scroll } = this.#parts;
    if (this.atEnd) this.#unseen = 0;
    this.#tell();
    if (scroll.toTop < scroll.height && this.#older) await this.#load("before");
    else if (!this.#attached && scroll.toBottom < scroll.height) await this.#load("after");
  }

  /** Go to the newest line. */
  async latest() {
    const { scroll, pages, newest } = this.#parts;
    if (!this.#attached)
      await this.#once(async () => this.#replace((await pages.read("before", newest() + 1)).lines, true));
    if (!this.#attached) return;
    this.#unseen = 0;
    scroll.toEnd();
    this.#tell();
  }

  /** Show the lines around `seq`, and give its row. */
  async goTo(/** @type {number} */ seq) {
    const { list, scroll, pages } = this.#parts;
    if (seq < list.first || seq > list.last)
      await this.#once(async () => this.#replace((await pages.read("around", seq)).lines, false));
    const row = list.rowFrom(seq);
    if (row) scroll.reveal(row);
    this.#tell();
    return row;
  }

  #replace(/** @type {Stored[]} */ lines, /** @type {boolean} */ newest) {
    this.#parts.list.show(lines);
    this.#older = (lines[0]?.seq ?? 1) > 1;
    this.#attached = newest || (lines.at(-1)?.seq ?? 0) >= this.#parts.newest();
    if (newest) this.#unseen = 0;
  }

  #load(/** @type {"before" | "after"} */ where) {
    const { list, scroll, pages, newest } = this.#parts;
    const known = newest();
    return this.#once(async () => {
      const { lines, more } = await pages.read(where, where === "before" ? list.first : list.last);
      scroll.keep(() => {
        if (where === "before") list.prepend(lines);
        else list.append(lines.filter((line) => line.seq > list.last));
        if (where === "before") this.#attached &&= list.size <= HistoryWindow.ROWS;
        if (where === "before") list.trimEnd(HistoryWindow.ROWS);
        else list.trimStart(HistoryWindow.ROWS);
      });
      this.#older = where === "after" || more;
      // not by seq: a damaged line is left out of a page
      if (where === "after") this.#attached = !more && newest() === known;
    });
  }

  /** One page at a time; a failure is said, and the next scroll tries again. */
  async #once(/** @type {() => Promise<void>} */ work) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await work();
      this.#failed = false;
    } catch {
      this.#failed = true;
    }
    this.#busy = false;
    this.#tell();
  }

  #tell() {
    const { list, scroll, changed } = this.#parts;
    const away = !this.#attached || (!scroll.stuck && scroll.toBottom > scroll.height);
    const state = { unseen: this.#unseen, away, older: this.#older, failed: this.#failed, empty: list.size === 0 };
    const key = Object.values(state).join();
    if (key !== this.#told) changed(state);
    this.#told = key;
  }
}
