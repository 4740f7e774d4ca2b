import assert from "node:assert/strict";
import { test } from "node:test";
import { Scroll } from "../../web/scroll.js";

/** A pane of 600 px, whose frames and scroll events come when the test says so. */
function room() {
  /** @type {() => void} */ let frame = () => {};
  /** @type {() => void} */ let scrolled = () => {};
  const pane = {
    scrollTop: 0,
    scrollHeight: 600,
    clientHeight: 600,
    children: [],
    addEventListener: (/** @type {string} */ _, /** @type {() => void} */ heard) => (scrolled = heard),
  };
  Object.assign(globalThis, {
    ResizeObserver: class {
      observe() {}
    },
    requestAnimationFrame: (/** @type {() => void} */ next) => ((frame = next), 1),
  });
  const scroll = new Scroll(/** @type {any} */ (pane), /** @type {any} */ ({}), () => {});
  return {
    pane,
    scroll,
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
  assert.deepEqual([pane.scrollTop, scroll.stuck], [2600, true]);
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
  assert.equal(pane.scrollTop, pane.scrollHeight);
});
