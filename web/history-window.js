/**
 * The window of about 500 rows on the history. It is `attached` while it ends at the newest line; detached by reading
 * far up, it counts what arrives, and fetches it on the way down.
 */

export class HistoryWindow {
  static ROWS = 500;
  /** Rows are removed in batches: each time the first row gets its day. */
  static #SLACK = 75;
  #parts;
  #attached = true;
  /** The next pages are `before` and `after` these seqs, which need not be those of rows. */
  #from = 1;
  #to = 0;
  #unseen = 0;
  /** A page that was requested before the last `show` is dropped. */
  #shown = 0;
  /** Lines said while the newest page is fetched. @type {Stored[] | null} */
  #arrived = null;
  #turns = Promise.resolve();
  #waiting = 0;
  /** What failed, for `retry`. @type {(() => Promise<any>) | null} */
  #failed = null;
  #told = "";

  constructor(/** @type {WindowParts} */ parts) {
    this.#parts = parts;
  }

  get attached() {
    return this.#attached;
  }

  get atEnd() {
    return this.#attached && this.#parts.scroll.stuck;
  }

  show(/** @type {Stored[]} */ lines) {
    const { list, scroll, newest } = this.#parts;
    this.#shown += 1;
    this.#arrived = this.#failed = null;
    list.show(lines);
    this.#from = lines[0]?.seq ?? newest() + 1;
    this.#unseen = 0;
    this.#attach([]);
    scroll.toEnd();
    this.moved();
  }

  append(/** @type {Stored[]} */ lines) {
    const { list, scroll } = this.#parts;
    if (!scroll.stuck && this.#attached && list.size + lines.length > HistoryWindow.ROWS * 1.1) this.#detach();
    if (!this.atEnd) this.#unseen += lines.length;
    if (this.#attached) list.append(lines.filter((line) => line.seq > list.last)); // a page may have brought it already
    else this.#arrived?.push(...lines);
    if (this.atEnd && list.size > HistoryWindow.ROWS + HistoryWindow.#SLACK) scroll.keep(() => this.#trimStart());
    scroll.follow();
    this.#tell();
  }

  /** The reader scrolled: fetch what comes into reach. */
  async moved() {
    const { scroll } = this.#parts;
    if (this.atEnd) this.#unseen = 0;
    this.#tell();
    if (this.#waiting) return;
    if (scroll.toTop < scroll.height && this.#from > 1) await this.#turn(() => this.#above());
    else if (!this.#attached && scroll.toBottom < scroll.height) await this.#turn(() => this.#below());
  }

  async latest() {
    if (!this.#attached || this.#waiting) await this.#turn(() => this.#toNewest());
    if (!this.#attached) return;
    this.#unseen = 0;
    this.#parts.scroll.toEnd();
    this.#tell();
  }

  /**
   * Show the lines around `seq`, and hand on its row, or the nearest one's; null where there is none.
   * @param {number} seq @param {(row: HTMLElement | null) => void} reached
   */
  async goTo(seq, reached) {
    const { list, scroll, newest } = this.#parts;
    await this.#turn(async () => {
      const known = seq >= list.first && seq <= list.last;
      if (!known && seq <= newest() && !(await this.#around(seq))) return;
      const row = seq > newest() ? null : (list.rowFrom(seq) ?? list.rowFrom(list.last));
      if (row) scroll.reveal(row);
      reached(row);
    });
  }

  async retry() {
    if (this.#failed) await this.#turn(this.#failed);
  }

  /** False if the room was replaced meanwhile. Without lines the rows stay. */
  async #around(/** @type {number} */ seq) {
    const { list, pages, newest } = this.#parts;
    const shown = this.#shown;
    const { lines } = await pages.read("around", seq);
    if (shown !== this.#shown) return false;
    const [first, last] = [lines[0], lines.at(-1)];
    if (!first || !last) return true;
    list.show(lines);
    [this.#from, this.#to, this.#attached] = [first.seq, last.seq, last.seq >= newest()];
    return true;
  }

  async #toNewest() {
    const { list, newest, pages } = this.#parts;
    if (this.#attached) return;
    const [shown, known] = [this.#shown, newest()];
    this.#arrived = [];
    const { lines, more, next } = await pages.read("before", known + 1);
    if (shown !== this.#shown) return;
    list.show(lines);
    this.#from = more ? next : 1;
    this.#attach(this.#arrived.filter((line) => line.seq > known));
  }

  async #above() {
    const { list, pages, scroll } = this.#parts;
    const shown = this.#shown;
    const { lines, more, next } = await pages.read("before", this.#from);
    if (shown !== this.#shown) return;
    this.#from = more ? next : 1;
    scroll.keep(() => {
      list.prepend(lines);
      if (list.size <= HistoryWindow.ROWS) return;
      list.trimEnd(HistoryWindow.ROWS);
      this.#detach();
    });
  }

  async #below() {
    const { list, newest, pages, scroll } = this.#parts;
    const [shown, known] = [this.#shown, newest()];
    this.#arrived = [];
    const { lines, more, next } = await pages.read("after", this.#to);
    if (shown !== this.#shown) return;
    this.#to = next;
    scroll.keep(() => {
      list.append(lines.filter((line) => line.seq > list.last));
      if (!more) this.#attach((this.#arrived ?? []).filter((line) => line.seq > Math.max(known, list.last)));
      if (list.size > HistoryWindow.ROWS) this.#trimStart();
    });
  }

  #attach(/** @type {Stored[]} */ arrived) {
    this.#parts.list.append(arrived);
    [this.#attached, this.#to] = [true, this.#parts.newest()];
  }

  #detach() {
    [this.#attached, this.#to] = [false, this.#parts.list.last];
  }

  #trimStart() {
    this.#parts.list.trimStart(HistoryWindow.ROWS);
    this.#from = this.#parts.list.first;
  }

  /** One page at a time, in order. A failure can be retried. */
  #turn(/** @type {() => Promise<void>} */ work) {
    this.#waiting += 1;
    this.#turns = this.#turns.then(async () => {
      this.#failed = (await work().catch(() => work)) ?? null;
      this.#arrived = null;
      this.#waiting -= 1;
      this.#tell();
    });
    return this.#turns;
  }

  #tell() {
    const { list, scroll, changed } = this.#parts;
    const away = !this.#attached || (!scroll.stuck && scroll.toBottom > scroll.height);
    const [older, failed] = [this.#from > 1, this.#failed !== null];
    const state = { unseen: this.#unseen, away, older, failed, empty: list.size === 0 && !older };
    const key = Object.values(state).join();
    if (key !== this.#told) changed(state);
    this.#told = key;
  }
}
