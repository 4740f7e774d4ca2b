/** Keeps the visible rows in place. By hand: Chromium's own scroll anchoring does not work at the top. */
export class Scroll {
  static #NEAR = 48;
  #pane;
  #rows;
  #stuck = true;
  #frame = 0;
  #top = 0;

  constructor(/** @type {HTMLElement} */ pane, /** @type {HTMLElement} */ rows, /** @type {() => void} */ moved) {
    this.#pane = pane;
    this.#rows = rows;
    pane.addEventListener("scroll", () => this.#scrolled(moved), { passive: true });
    const resized = new ResizeObserver(() => {
      this.#top = pane.scrollTop;
      this.follow();
    });
    for (const element of [pane, ...pane.children]) resized.observe(element);
  }

  get stuck() {
    return this.#stuck;
  }

  get toTop() {
    return this.#pane.scrollTop;
  }

  get toBottom() {
    return this.#pane.scrollHeight - this.#pane.clientHeight - this.#pane.scrollTop;
  }

  get height() {
    return this.#pane.clientHeight;
  }

  /** Rows were added: at the end, follow in the next frame. One layout for many rows. */
  follow() {
    if (!this.#stuck || this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#stuck) this.toEnd();
    });
  }

  toEnd() {
    this.#stuck = true;
    this.#pane.scrollTop = this.#pane.scrollHeight;
    this.#top = this.#pane.scrollTop; // further up than before, if rows were removed
  }

  /** Change rows while the first visible one stays in place. What moves by that is not the reader's doing. */
  keep(/** @type {() => void} */ change) {
    const [anchor, top] = [this.first, this.#pane.scrollTop];
    const before = anchor?.getBoundingClientRect().bottom ?? 0;
    change();
    if (anchor?.isConnected) this.#pane.scrollTop += anchor.getBoundingClientRect().bottom - before;
    this.#top += this.#pane.scrollTop - top;
  }

  isAbove(/** @type {Element} */ row) {
    return row.getBoundingClientRect().top < this.#pane.getBoundingClientRect().top;
  }

  reveal(/** @type {Element} */ row) {
    const distance = row.getBoundingClientRect().top - this.#pane.getBoundingClientRect().top;
    this.#pane.scrollTop += distance - this.#pane.clientHeight / 3;
    this.#stuck = this.toBottom < Scroll.#NEAR;
  }

  #scrolled(/** @type {() => void} */ moved) {
    const up = this.#pane.scrollTop < this.#top;
    this.#top = this.#pane.scrollTop;
    if (this.#frame && !(up && this.toBottom > Scroll.#NEAR)) return; // rows were added: not the reader's doing
    this.#stuck = this.toBottom < Scroll.#NEAR;
    moved();
  }

  /** The first row in sight, by binary search. */
  get first() {
    const rows = this.#rows.children;
    const top = this.#pane.getBoundingClientRect().top;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) > top + 1) high = middle;
      else low = middle + 1;
    }
    return rows[low] ?? null;
  }
}
