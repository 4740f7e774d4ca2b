import assert from "node:assert/strict";
import { test } from "node:test";
import { afterClose, afterRefusal, hello, ping, read, say } from "../../web/protocol.js";

const LINE = '{"seq":42,"timestamp":1763880000123,"name":"alice","message":"hi","id":"c1","h":"9f86d081884c7d65"}';

const frames = /** @type {const} */ ([
  [
    LINE,
    { kind: "line", seq: 42, h: "9f86d081884c7d65", timestamp: 1763880000123, name: "alice", message: "hi", id: "c1" },
  ],
  ['{"seq":42,"kind":"lost"}', { kind: "lost", seq: 42 }],
  ['{"seq":43,"kind":"topic","topic":"x","h":"00"}', { kind: "record", seq: 43, h: "00" }],
  ['{"joined":"bob"}', { kind: "joined", name: "bob" }],
  ['{"quit":"bob"}', { kind: "quit", name: "bob" }],
  ['{"members":999}', { kind: "members", count: 999, names: null }],
  ['{"members":999,"roster":["ada","bo"]}', { kind: "members", count: 999, names: ["ada", "bo"] }],
  ['{"typing":["bob",7]}', { kind: "typing", names: ["bob"] }],
  ['{"pong":7}', { kind: "pong" }],
  [
    '{"error":"slow down","code":"rate_limited","id":"c1","retry_after_ms":3200}',
    { kind: "error", text: "slow down", code: "rate_limited", id: "c1", retryAfter: 3200 },
  ],
]);

for (const [frame, event] of frames) {
  test(`reads ${frame.slice(0, 40)}`, () => assert.deepEqual(read(frame), event));
}

test("ready carries the head, the limits and how the join continues", () => {
  const event = read(
    '{"ready":true,"room":"lobby","seq":41,"h":"aa","members":3,"recovered":false,"reason":"far",' +
      '"limits":{"message_chars":10},"web":"0123"}',
  );
  assert.equal(event.kind, "ready");
  if (event.kind !== "ready") return;
  assert.deepEqual([event.seq, event.h, event.members, event.recovered, event.reason], [41, "aa", 3, false, "far"]);
  assert.deepEqual([event.limits.message_chars, event.web], [10, "0123"]);
});

for (const frame of ["", "nonsense", "7", "null", "[]", "{}", '{"news":true}']) {
  test(`${frame || "an empty frame"} is unknown, not an error`, () =>
    assert.deepEqual(read(frame), { kind: "unknown" }));
}

test("what is sent is what the contract says", () => {
  assert.equal(hello("alice", null), '{"name":"alice","v":2,"backlog":100}');
  assert.equal(
    hello("alice", { seq: 41, h: "aa" }),
    '{"name":"alice","v":2,"backlog":100,"since":{"seq":41,"h":"aa"}}',
  );
  assert.equal(say("hi", "c1"), '{"message":"hi","id":"c1"}');
  assert.equal(ping(7), '{"ping":7}');
});

test("closes: who may come back", () => {
  for (const code of [1002, 1007, 1008, 1009]) assert.equal(afterClose(code), "never");
  for (const code of [1000, 1001, 1006, 1011, 1012, 4008, 4408]) assert.equal(afterClose(code), "soon");
  assert.equal(afterClose(1013), "later");
});

test("refusals: what becomes of the message", () => {
  for (const code of ["rate_limited", "storage_unavailable", "unavailable"]) assert.equal(afterRefusal(code), "wait");
  for (const code of ["message_too_long", "empty_message", "bad_message", "bad_frame", "what_comes"])
    assert.equal(afterRefusal(code), "failed");
  assert.equal(afterRefusal("id_conflict"), "delivered");
});

for (const stamp of ["1e300", "null", '"soon"', "-1e17"]) {
  test(`a line whose time is ${stamp} can still be shown`, () => {
    const event = read(`{"seq":1,"timestamp":${stamp},"name":"a","message":"m","h":"00"}`);
    assert.ok(event.kind === "line" && new Date(event.timestamp).toISOString());
  });
}
