import assert from "node:assert/strict";
import { test } from "node:test";
import { Unread } from "../../web/unread.js";

/** @param {unknown} kept what the browser's storage has */
function room(kept) {
  const place = { kept };
  const set = (/** @type {unknown} */ value) => (place.kept = value);
  return { place, unread: new Unread({ get: () => place.kept, set }, () => {}) };
}
const line = (/** @type {number} */ seq, h = `h${seq}`) => /** @type {Stored} */ ({ kind: "record", seq, h });

test("what was read is a place in one history, and only goes on", () => {
  const { place, unread } = room(null);
  assert.equal(unread.leftOff, 0);
  unread.read({ seq: 40, h: "h40" });
  unread.read({ seq: 12, h: "h12" });
  unread.read(null);
  assert.deepEqual(place.kept, [40, "h40"]);
  assert.equal(room(place.kept).unread.leftOff, 40);
});

test("another history is known by its head or by the line that was read", () => {
  const { unread, place } = room([40, "h40"]);
  assert.ok(unread.isOther([line(12)], 12));
  assert.ok(unread.isOther([line(40, "another"), line(41)], 41));
  assert.ok(!unread.isOther([line(40), line(41)], 41));
  assert.ok(!unread.isOther([line(900)], 900)); // it can't be seen
  assert.ok(!unread.isOther([{ kind: "lost", seq: 40 }], 40));
  unread.reset();
  assert.deepEqual([unread.leftOff, place.kept], [0, [0, ""]]);
});

test("a place as it was kept before has no digest", () => {
  const { unread } = room(40);
  assert.equal(unread.leftOff, 40);
  assert.ok(!unread.isOther([line(40)], 40));
});
