/**
 * Keeps what is read where it is. At the end the pane follows what arrives ("stuck"); anywhere else nothing moves.
 * Browsers' own anchoring is off (Chromium does not anchor at the top), so each change is made up for by hand.
 */
export class Scroll {
  /** Nearer to the end than this many pixels counts as being there. */
  static #NEAR = 48;
  #pane;
  #rows;
  #stuck = true;
  #frame = 0;

  constructor(/** @type {HTMLElement} */ pane, /** @type {HTMLElement} */ rows, /** @type {() => void} */ moved) {
    this.#pane = pane;
    this.#rows = rows;
    pane.addEventListener("scroll", () => this.#scrolled(moved), { passive: true });
    // the keyboard of a phone, a composer that grows, a font that arrives
    const resized = new ResizeObserver(() => this.follow());
    for (const element of [pane, ...pane.children]) resized.observe(element);
  }

  /** Does the pane show the end of what it holds? */
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

  /** Rows were added at the end: go along in the next frame, if the reader is there. One layout for many rows. */
  follow() {
    if (!this.#stuck || this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#stuck) this.#pane.scrollTop = this.#pane.scrollHeight;
    });
  }

  toEnd() {
    this.#stuck = true;
    this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  /** Make a change to the rows while the first visible one stays where it is. */
  keep(/** @type {() => void} */ change) {
    const anchor = this.#firstVisible();
    const before = anchor?.getBoundingClientRect().bottom ?? 0;
    change();
    if (anchor?.isConnected) this.#pane.scrollTop += anchor.getBoundingClientRect().bottom - before;
  }

  isAbove(/** @type {Element} */ row) {
    return row.getBoundingClientRect().top < this.#pane.getBoundingClientRect().top;
  }

  /** Bring a row to the upper third of the pane. */
  reveal(/** @type {Element} */ row) {
    const distance = row.getBoundingClientRect().top - this.#pane.getBoundingClientRect().top;
    this.#pane.scrollTop += distance - this.#pane.clientHeight / 3;
    this.#stuck = this.toBottom < Scroll.#NEAR;
  }

  #scrolled(/** @type {() => void} */ moved) {
    if (this.#frame) return; // rows were added since: this distance says nothing about the reader
    this.#stuck = this.toBottom < Scroll.#NEAR;
    moved();
  }

  /** Rows stand in order, so halving finds the first whose lower edge is below the pane's upper edge. */
  #firstVisible() {
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
