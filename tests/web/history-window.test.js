import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, world } from "./room_in_memory.js";

async function detached(/** @type {number} */ count, /** @type {number} */ seq) {
  const there = world(count);
  there.window.show(lines(count - 99, count));
  there.goTo(seq);
  await there.answerAll();
  assert.ok(!there.window.attached);
  return there;
}

test("what is said while the newest page is fetched is shown after it, each line once", async () => {
  const there = await detached(1000, 300);
  const latest = there.window.latest();
  there.say(); // before the page is asked for,
  await there.asked();
  there.say(); // while it comes,
  await there.answer();
  await latest;
  there.say(); // and after it
  assert.deepEqual(
    there.seqs(),
    lines(902, 1003).map(({ seq }) => seq),
  );
  assert.equal(there.state()?.unseen, 0);
});

test("the same on the way down by scrolling", async () => {
  const there = await detached(1000, 800);
  await there.scrollTo({ toBottom: 0 });
  await there.answer();
  assert.ok(!there.window.attached);
  await there.scrollTo({ toBottom: 0 });
  there.say();
  await there.answer();
  there.say();
  assert.ok(there.window.attached);
  assert.deepEqual(
    there.seqs(),
    lines(750, 1002).map(({ seq }) => seq),
  );
  assert.equal(there.state()?.unseen, 2); // they are below what the reader sees
});

test("a link that is followed while a page comes waits its turn", async () => {
  const there = world(5000);
  there.window.show(lines(4901, 5000));
  await there.scrollTo({ toTop: 0 });
  there.goTo(1000);
  there.window.latest();
  await there.answerAll();
  assert.deepEqual(there.reached, [1000]);
  assert.deepEqual([there.seqs().at(-1), there.window.attached], [5000, true]);
});

test("scrolling asks for one page at a time", async () => {
  const there = world(5000);
  there.window.show(lines(4901, 5000));
  for (let count = 0; count < 5; count++) await there.scrollTo({ toTop: 0 });
  there.scroll.toTop = 2000;
  await there.answerAll();
  assert.equal(there.seqs().length, 200);
});

test("a link to a message that is not there leaves the room as it is", async () => {
  const there = world(100);
  there.window.show(lines(1, 100));
  there.goTo(999);
  await there.answerAll();
  assert.deepEqual([there.reached, there.seqs().length, there.window.attached], [[null], 100, true]);
});

test("no page at all for a link leaves the room as it is", async () => {
  const there = world(500, (seq) => seq < 400);
  there.window.show(lines(400, 500));
  there.goTo(200);
  await there.answerAll();
  assert.equal(there.seqs().length, 101);
  assert.ok(!there.state()?.empty);
});

test("a page over damage is no beginning: the next one is asked for behind it", async () => {
  const there = world(500, (seq) => seq > 100 && seq < 400);
  there.window.show(lines(400, 500));
  for (let page = 0; page < 4; page++) {
    await there.scrollTo({ toTop: 0 });
    await there.answer();
  }
  assert.equal(there.seqs()[0], 1);
  assert.ok(!there.state()?.older);
});

test("a room whose newest lines are not drawn is not empty: the lines above are fetched", async () => {
  const there = world(250);
  there.scroll.toEnd = () => Object.assign(there.scroll, { toTop: 0 });
  there.window.show([]);
  assert.ok(!there.state()?.empty);
  await there.answer();
  assert.equal(there.seqs()[0], 151);
});

test("a page that was asked for before the room was shown anew is dropped", async () => {
  const there = world(1000);
  there.window.show(lines(901, 1000));
  await there.scrollTo({ toTop: 0 });
  there.room.newest = 3;
  there.window.show(lines(1, 3));
  await there.answerAll();
  assert.deepEqual(there.seqs(), [1, 2, 3]);
});

test("what failed says so, and can be tried again", async () => {
  const there = world(1000);
  there.window.show(lines(901, 1000));
  there.room.broken = true;
  there.goTo(300);
  await there.answerAll();
  assert.ok(there.state()?.failed);
  there.room.broken = false;
  there.window.retry();
  await there.answerAll();
  assert.ok(!there.state()?.failed);
  assert.deepEqual(there.reached, [300]);
});

test("reading far up keeps about 500 rows, and the way back has no hole", async () => {
  const there = world(2000);
  there.window.show(lines(1901, 2000));
  for (let page = 0; page < 8; page++) {
    await there.scrollTo({ toTop: 0 });
    there.say();
    await there.answer();
  }
  assert.deepEqual([there.seqs().length, there.seqs()[0]], [500, 1101]);
  for (let page = 0; page < 10 && !there.window.attached; page++) {
    await there.scrollTo({ toBottom: 0 });
    there.say();
    await there.answer();
  }
  const shown = there.seqs();
  assert.deepEqual(
    shown,
    lines(there.room.newest - shown.length + 1, there.room.newest).map(({ seq }) => seq),
  );
  assert.ok(shown.length >= 500 && shown.length <= 575);
});

test("a line that a page brings before the room tells of it is shown once", async () => {
  const there = await detached(1000, 850);
  there.room.ahead = 3;
  for (let page = 0; page < 2; page++) {
    await there.scrollTo({ toBottom: 0 });
    await there.answer();
  }
  assert.ok(there.window.attached);
  for (let count = 0; count < 4; count++) there.say();
  assert.deepEqual(
    there.seqs(),
    lines(800, 1004).map(({ seq }) => seq),
  );
});

test("rows that are removed while one follows leave what is in sight in place", () => {
  const there = world(500);
  there.window.show(lines(1, 500));
  /** @type {number[]} */ const kept = [];
  there.scroll.keep = (change) => {
    const before = there.seqs().length;
    change();
    kept.push(before - there.seqs().length);
  };
  for (let count = 0; count < 76; count++) there.say();
  assert.deepEqual([kept, there.seqs().length], [[76], 500]);
});
