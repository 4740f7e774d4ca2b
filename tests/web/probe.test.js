import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { probe } from "../../web/probe.js";

const ours = '{"error":"Name too long","code":"not_found"}';
const answers = /** @type {const} */ ([
  [200, '{"room":"lobby","seq":0}', "there"],
  [200, "{}", "away"],
  [200, "<h1>Log in to this hotel</h1>", "away"],
  [404, ours, "gone"],
  [404, "<h1>404 Not Found</h1>", "away"],
  [404, '{"message":"no route"}', "away"],
  [502, ours, "away"],
  [403, "no", "away"],
]);

test.afterEach(() => mock.restoreAll());

for (const [status, body, found] of answers) {
  test(`${status} with ${body.slice(0, 20)} means ${found}`, async () => {
    mock.method(globalThis, "fetch", async () => new Response(body, { status }));
    assert.equal(await probe("api/room/lobby"), found);
  });
}

test("no answer means away, and there is a deadline", async () => {
  mock.method(globalThis, "fetch", (/** @type {string} */ _, /** @type {RequestInit} */ { signal }) => {
    assert.ok(signal);
    return Promise.reject(new DOMException("late", "TimeoutError"));
  });
  assert.equal(await probe("api/room/lobby"), "away");
});
