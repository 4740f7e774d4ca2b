import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { RoomError } from "../../web/room-error.js";
import { RoomHistory } from "../../web/room-history.js";

const SOCKET = "ws://h/chat/api/room/lobby/websocket";
const line = (/** @type {number} */ seq) =>
  JSON.stringify({ seq, timestamp: 1, name: "bo", message: `${seq}`, h: `${seq}`.padStart(16, "0") });
const lost = (/** @type {number} */ seq) => JSON.stringify({ seq, kind: "lost" });
const record = (/** @type {number} */ seq) => JSON.stringify({ seq, kind: "poll", h: "0".repeat(16) });

/** @typedef {{ lines?: string[], next?: string, text?: string }} Page */
/** @typedef {Page & { status?: number, code?: string, after?: string }} Given */

/** Answers one request after the other, and returns what is asked for. "away": nobody answers. */
function serve(/** @type {(Given | "away")[]} */ ...answers) {
  /** @type {string[]} */ const asked = [];
  mock.method(globalThis, "fetch", async (/** @type {string} */ address) => {
    asked.push(address.replace("http://h/chat/api/room/lobby/history?", ""));
    const given = answers.shift();
    assert.ok(given, `nobody expected ${address}`);
    if (given === "away") throw new TypeError("fetch failed");
    const { lines = [], next, status = 200, code, after, text } = given;
    const body = text ?? (code ? JSON.stringify({ error: "no", code }) : lines.map((one) => `${one}\n`).join(""));
    const headers = { "Retry-After": after ?? "", ...(next && { "EdgeChat-Next": next }) };
    return new Response(body, { status, headers });
  });
  return asked;
}

/** @typedef {import("../../web/client.d.ts").HistoryOptions} Options */
const told = (/** @type {any} */ stored) => ({ ...stored, live: false });
const past = (ended = new AbortController()) => new RoomHistory(SOCKET, ended.signal, told);

/** The numbers of the messages. */
async function read(/** @type {Options} */ options, ended = new AbortController()) {
  const found = [];
  for await (const { seq, live } of past(ended).lines(options)) {
    assert.equal(live, false);
    found.push(seq);
  }
  return found;
}

test.beforeEach(() => {
  mock.method(globalThis, "setTimeout", (/** @type {() => void} */ done) => setImmediate(done));
});
test.afterEach(() => mock.restoreAll());

test("back from the newest, page by page", async () => {
  const asked = serve({ lines: [line(4), line(5)], next: "4" }, { lines: [line(1), line(2), line(3)] });
  assert.deepEqual(await read({}), [5, 4, 3, 2, 1]);
  assert.deepEqual(asked, ["limit=1000", "limit=1000&before=4"]);
});

test("forwards, up to a line", async () => {
  const asked = serve({ lines: [line(3), line(4)], next: "4" }, { lines: [line(5), line(6), line(7)], next: "7" });
  assert.deepEqual(await read({ after: 2, before: 7 }), [3, 4, 5, 6]);
  assert.deepEqual(asked, ["limit=1000&after=2", "limit=1000&after=4"]);
});

test("nothing lies between two neighbours, so nothing is asked for", async () => {
  assert.deepEqual(serve(), []);
  assert.deepEqual(await read({ after: 2, before: 3 }), []);
  assert.deepEqual(await read({ limit: 0 }), []);
});

test("damage and other kinds are passed over, also where a page has nothing else", async () => {
  const first = { lines: [lost(8), record(9), line(10)], next: "8" };
  const asked = serve(first, { next: "5" }, { next: "3" }, { lines: [line(1)] });
  assert.deepEqual(await read({ before: 11 }), [10, 1]);
  assert.deepEqual(asked.map((query) => query.split("=").at(-1)), ["11", "8", "5", "3"]);
});

test("no more than are wanted are asked for", async () => {
  const asked = serve({ lines: [line(7), line(8)], next: "7" });
  assert.deepEqual(await read({ limit: 2 }), [8, 7]);
  assert.deepEqual(asked, ["limit=2"]);
});

test("a search goes on where nothing was found", async () => {
  const asked = serve({ next: "500" }, { lines: [line(70)] });
  assert.deepEqual(await read({ q: "a b&c" }), [70]);
  assert.deepEqual(asked, ["limit=1000&q=a+b%26c", "limit=1000&q=a+b%26c&before=500"]);
});

test("who stops iterating asks no more", async () => {
  const asked = serve({ lines: [line(8)], next: "8" });
  for await (const { seq } of past().lines({})) {
    assert.equal(seq, 8);
    break;
  }
  assert.equal(asked.length, 1);
});

test("what passes by itself is waited for, and so is a server that is away, or a proxy in its place", async () => {
  const waits = mock.method(globalThis, "setTimeout", (/** @type {() => void} */ done) => setImmediate(done));
  const passing = [{ status: 429, code: "rate_limited", after: "7" }, { status: 503, code: "unavailable" }];
  const asked = serve("away", ...passing, { status: 404, text: "<html>" }, { lines: [line(1)] });
  assert.deepEqual(await read({}), [1]);
  assert.equal(asked.length, 5);
  assert.equal(waits.mock.calls[1]?.arguments[1], 7000);
});

for (const [status, code] of /** @type {[number, string][]} */ ([
  [404, "not_found"],
  [400, "bad_request"],
])) {
  test(`${code} is for good`, async () => {
    serve({ status, code });
    await assert.rejects(read({ q: "" }), (error) => error instanceof RoomError && error.code === code);
  });
}

test("what ends the room ends the waiting", async () => {
  const ended = new AbortController();
  mock.method(globalThis, "setTimeout", () => {
    setImmediate(() => ended.abort(new RoomError("closed", "This room was left.")));
  });
  serve("away", "away");
  await assert.rejects(read({}, ended), /closed/);
  const asked = serve("away");
  await assert.rejects(read({}, ended), /closed/);
  assert.equal(asked.length, 1);
});
