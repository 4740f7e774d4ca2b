import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../../web/history.js";

const line = (/** @type {number} */ seq, h = `h${seq}`) =>
  /** @type {const} */ ({ kind: "line", seq, h, timestamp: seq, name: "a", message: "m", id: null });
const ready = (
  /** @type {number} */ seq,
  /** @type {boolean | null} */ recovered = null,
  /** @type {string | null} */ reason = null,
  h = `h${seq}`,
) =>
  /** @type {const} */ ({
    kind: "ready",
    seq,
    h,
    members: 1,
    recovered,
    reason,
    limits: { message_chars: 1, name_chars: 1, interval_ms: 1, grace_ms: 1 },
    web: null,
  });
const seqs = (/** @type {{ seq: number }[]} */ lines) => lines.map(({ seq }) => seq);

function joined() {
  const timeline = new Timeline();
  timeline.hold();
  timeline.take(line(1));
  timeline.take(line(2));
  assert.deepEqual(seqs(timeline.ready(ready(2)).lines), [1, 2]);
  return timeline;
}

test("an empty room gives a token too", () => {
  const timeline = new Timeline();
  timeline.hold();
  timeline.ready(ready(0, null, null, "0000000000000000"));
  assert.deepEqual(timeline.token, { seq: 0, h: "0000000000000000" });
});

test("lines are held until ready says what they are", () => {
  const timeline = joined();
  timeline.hold();
  assert.equal(timeline.take(line(3)), "held");
  assert.deepEqual(timeline.token, { seq: 2, h: "h2" });
  const { continues, lines } = timeline.ready(ready(3, true));
  assert.ok(continues);
  assert.deepEqual(seqs(lines), [3]);
  assert.deepEqual(timeline.token, { seq: 3, h: "h3" });
});

test("each line once: a repeat is known, and moves nothing back", () => {
  const timeline = joined();
  assert.equal(timeline.take(line(3)), "next");
  assert.equal(timeline.take(line(1)), "repeat");
  assert.deepEqual(timeline.token, { seq: 3, h: "h3" });
});

test("a hole is a gap, and is not taken", () => {
  const timeline = joined();
  assert.equal(timeline.take(line(4)), "gap");
  assert.equal(timeline.last, 2);
});

test("a connection that broke before ready leaves nothing behind", () => {
  const timeline = joined();
  timeline.hold();
  timeline.take(line(3));
  timeline.hold();
  timeline.take(line(3));
  assert.deepEqual(seqs(timeline.ready(ready(3, true)).lines), [3]);
});

test("not recovered: the backlog replaces what was known, even with lower numbers", () => {
  const timeline = joined();
  timeline.hold();
  timeline.take(line(1, "other"));
  const { continues, lines, reason } = timeline.ready(ready(1, false, "forked", "other"));
  assert.deepEqual([continues, seqs(lines), reason], [false, [1], "forked"]);
  assert.deepEqual(timeline.token, { seq: 1, h: "other" });
});

test("a lost line counts, but the token stays on a line with a digest", () => {
  const timeline = joined();
  assert.equal(timeline.take({ kind: "lost", seq: 3 }), "next");
  assert.deepEqual(timeline.token, { seq: 2, h: "h2" });
  assert.equal(timeline.take(line(4)), "next");
});

test("a record of an unknown kind takes its place in the order", () => {
  const timeline = joined();
  assert.equal(timeline.take({ kind: "record", seq: 3, h: "h3" }), "next");
  assert.equal(timeline.take(line(4)), "next");
});
