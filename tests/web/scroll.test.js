import assert from "node:assert/strict";
import { test } from "node:test";
import { Scroll } from "../../web/scroll.js";

/** A pane of 600 px, whose frames and scroll events come when the test says so. It keeps within its height. */
function room() {
  /** @type {() => void} */ let frame = () => {};
  /** @type {() => void} */ let scrolled = () => {};
  /** @type {() => void} */ let resized = () => {};
  let place = 0;
  const pane = {
    scrollHeight: 600,
    clientHeight: 600,
    children: [],
    getBoundingClientRect: () => ({ top: 0 }),
    get scrollTop() {
      return (place = Math.min(place, this.scrollHeight - this.clientHeight));
    },
    set scrollTop(wanted) {
      place = Math.min(wanted, this.scrollHeight - this.clientHeight);
    },
    addEventListener: (/** @type {string} */ _, /** @type {() => void} */ heard) => (scrolled = heard),
  };
  Object.assign(globalThis, {
    ResizeObserver: class {
      constructor(/** @type {() => void} */ told) {
        resized = told;
      }
      observe() {}
    },
    requestAnimationFrame: (/** @type {() => void} */ next) => ((frame = next), 1),
  });
  const scroll = new Scroll(/** @type {any} */ (pane), /** @type {any} */ ({ children: [] }), () => {});
  return {
    pane,
    scroll,
    frame: () => frame(),
    scrolled: () => scrolled(),
    resized: () => resized(),
    grow(/** @type {number} */ by) {
      pane.scrollHeight += by;
      scroll.follow();
    },
    draw() {
      frame();
      scrolled();
    },
    to(/** @type {number} */ top) {
      pane.scrollTop = top;
      scrolled();
    },
  };
}

test("at the end, the page follows what is said", () => {
  const { pane, scroll, grow, draw } = room();
  grow(1000);
  draw();
  grow(1000);
  draw();
  assert.deepEqual([pane.scrollTop, scroll.stuck], [2000, true]);
});

test("who scrolls up between a message and its frame stays there", () => {
  const { pane, scroll, grow, draw, to } = room();
  grow(5000);
  draw();
  to(5000);
  grow(24);
  to(2000); // the frame of the new row is still to come
  assert.ok(!scroll.stuck);
  draw();
  assert.equal(pane.scrollTop, 2000);
});

test("rows that leave at the start, while many arrive, are not the reader's doing", () => {
  const { pane, scroll, grow, draw, to } = room();
  grow(5000);
  draw();
  to(5000);
  grow(-400);
  to(4600); // the browser keeps within the new height
  assert.ok(scroll.stuck);
  grow(24);
  draw();
  assert.equal(pane.scrollTop, pane.scrollHeight - 600);
});

test("the browser tells of a move only after more rows came: that is not the reader's doing either", () => {
  const { pane, scroll, grow, draw, frame, scrolled } = room();
  grow(5000);
  draw();
  grow(-400); // long rows were removed at the start, short ones were added
  frame();
  grow(300);
  scrolled();
  assert.ok(scroll.stuck);
  draw();
  assert.equal(pane.scrollTop, pane.scrollHeight - 600);
});

test("a pane that grew shows the end, and rows that came since are not the reader's doing", () => {
  const { pane, scroll, grow, draw, scrolled, resized } = room();
  grow(5000);
  draw();
  pane.clientHeight = 900; // the keyboard of a telephone went away
  assert.equal(pane.scrollTop, 4700);
  resized();
  grow(300);
  scrolled();
  assert.ok(scroll.stuck);
});

test("rows that are removed while the rest is kept in place are not the reader's doing", () => {
  const { pane, scroll, grow, draw, scrolled } = room();
  grow(5000);
  draw();
  scroll.keep(() => (pane.scrollHeight -= 400));
  grow(300);
  scrolled(); // the browser tells of its move from 5000 to 4600
  assert.ok(scroll.stuck);
  draw();
  assert.equal(pane.scrollTop, pane.scrollHeight - 600);
});

test("who scrolls up while rows are removed stays there", () => {
  const { pane, scroll, grow, draw, scrolled } = room();
  grow(5000);
  draw();
  grow(24);
  pane.scrollTop = 2000; // it is told in the next frame
  scroll.keep(() => (pane.scrollHeight -= 400));
  scrolled();
  assert.ok(!scroll.stuck);
  draw();
  assert.equal(pane.scrollTop, 2000);
});
