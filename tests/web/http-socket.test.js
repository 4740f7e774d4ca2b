import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { events } from "../../web/event-stream.js";
import { HttpSocket } from "../../web/http-socket.js";

test.afterEach(() => mock.restoreAll());

const line = (/** @type {number} */ seq, id = "") =>
  JSON.stringify({ seq, name: "bo", message: `${seq}`, id, h: "aa" });
const event = (/** @type {number} */ seq) => `id: ${seq}:aa\ndata: ${line(seq)}\n\n`;
const stream = (/** @type {string[]} */ ...parts) =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
    },
  });

const streams = [
  ["an event", "id: 1:aa\ndata: x\n\n", [{ event: "message", id: "1:aa", data: "x" }]],
  ["a place", "id: 1:aa\nretry: 2000\n\n", [{ event: "message", id: "1:aa", data: "" }]],
  ["a comment is passed over", ":\n\ndata: x\n\n", [{ event: "message", id: "", data: "x" }]],
  ["two lines of data, CRLF", "data: x\r\ndata: y\r\n\r\n", [{ event: "message", id: "", data: "x\ny" }]],
  ["a name", "event: reset\ndata: {}\n\n", [{ event: "reset", id: "", data: "{}" }]],
  ["the id stays", "id: 1\ndata: x\n\ndata: y\n\n", [
    { event: "message", id: "1", data: "x" },
    { event: "message", id: "1", data: "y" },
  ]],
  ["an end without an empty line is none", "data: x\n", []],
];
for (const [name, text, wanted] of /** @type {[string, string, object[]][]} */ (streams)) {
  test(`server-sent events: ${name}, byte by byte too`, async () => {
    for (const parts of [[text], [...text]]) {
      const body = new Blob(parts).stream();
      const found = [];
      for await (const each of events(body)) found.push(each);
      assert.deepEqual(found, wanted);
    }
  });
}

const LIMITS = { message_chars: 20 };
/** @typedef {{ seq?: number, events?: string[], post?: (message: any) => Response }} Server */

/** A socket of a room whose server answers so, what it told, and what it was asked. */
async function joined(/** @type {Server} */ server, /** @type {object} */ hello = {}) {
  /** @type {any[]} */ const told = [];
  /** @type {string[]} */ const asked = [];
  /** @type {number[]} */ const closed = [];
  const refused = (/** @type {string} */ code, status = 400) => Response.json({ error: "no", code }, { status });
  mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
    asked.push(url.slice("http://x/api/room/r".length));
    if (url.endsWith("/messages")) {
      const said = JSON.parse(String(init.body));
      if (said.message === "") return refused(said.name === "bad" ? "bad_name" : "empty_message");
      return server.post?.(said) ?? refused("rate_limited", 429);
    }
    if (url.includes("/events")) return new Response(stream(...(server.events ?? [])));
    return Response.json({ room: "r", seq: server.seq ?? 0, h: "hh", members: 3, limits: LIMITS });
  });
  const socket = new HttpSocket("ws://x/api/room/r/websocket", () => {});
  socket.onmessage = ({ data }) => told.push(JSON.parse(data));
  socket.onclose = ({ code }) => closed.push(code);
  await new Promise((resolve) => (socket.onopen = resolve));
  socket.send(JSON.stringify({ name: "ada", backlog: 100, ...hello }));
  await settle();
  return { socket, told, asked, closed };
}

const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
const head = { seq: 2, h: "hh", room: "r", limits: LIMITS };

test("a join: the name, the members, the backlog, ready", async () => {
  const { socket, told, asked } = await joined({ seq: 102, events: ["id: 2:aa\n\n", event(101), event(102)] });
  assert.deepEqual(asked.at(-1), "/events?since=2");
  assert.deepEqual(told.slice(0, 2), [{ joined: "ada" }, { members: 4 }]);
  assert.deepEqual(told.slice(2).map((each) => each.seq), [101, 102, 102]);
  assert.deepEqual(told.at(-1), { ...head, seq: 102, ready: true, members: 4 });
  socket.close();
});

test("an empty room is ready when its place comes", async () => {
  const { socket, told } = await joined({ seq: 0, events: ["id: 0:hh\nretry: 2000\n\n"] });
  assert.deepEqual(told.at(-1), { ...head, seq: 0, ready: true, members: 4 });
  socket.close();
});

test("a token resumes: ready comes after the last line that was there", async () => {
  const server = { seq: 2, events: [event(2), event(3)] };
  const { socket, told, asked } = await joined(server, { since: { seq: 1, h: "aa" } });
  assert.deepEqual(asked.at(-1), "/events?since=1:aa");
  assert.deepEqual(told.slice(2), [
    JSON.parse(line(2)),
    { ...head, ready: true, members: 4, recovered: true },
    JSON.parse(line(3)),
  ]);
  socket.close();
});

test("a token of another history does not, and says why", async () => {
  const reset = 'event: reset\nid: 0:bb\ndata: {"reason":"forked","seq":1,"h":"cc"}\n\n';
  const { socket, told } = await joined({ seq: 1, events: [reset, event(1)] }, { since: { seq: 7, h: "aa" } });
  const ready = { ...head, seq: 1, h: "cc", ready: true, members: 4, recovered: false, reason: "forked" };
  assert.deepEqual(told.slice(2), [JSON.parse(line(1)), ready]);
  socket.close();
});

test("a token that is too far behind begins with the backlog, as by a WebSocket", async () => {
  const { socket, asked } = await joined({ seq: 10_002 }, { since: { seq: 1, h: "aa" } });
  assert.deepEqual(asked.at(-1), "/events?since=9902");
  socket.close();
});

test("a message that comes by the events as well is told once; a repeat of an old one is told", async () => {
  let answer = line(3, "new");
  const { socket, told } = await joined({ seq: 2, events: [event(2)], post: () => new Response(answer) });
  const before = told.length;
  socket.send('{"message":"x","id":"new"}');
  await settle();
  assert.equal(told.length, before);
  answer = line(1, "old");
  socket.send('{"message":"x","id":"old"}');
  await settle();
  assert.deepEqual(told.slice(before), [JSON.parse(answer)]);
  socket.close();
});

test("messages go one after the other, and a refusal names its message", async () => {
  /** @type {any[]} */ const said = [];
  const post = (/** @type {any} */ message) => {
    said.push(message);
    const headers = { "Retry-After": "3" };
    return Response.json({ error: "slow", code: "rate_limited" }, { status: 429, headers });
  };
  const { socket, told } = await joined({ seq: 0, post });
  socket.send('{"message":"x","id":"1"}');
  socket.send('{"message":"y","id":"2"}');
  await settle();
  await settle();
  assert.deepEqual(said, [
    { name: "ada", message: "x", id: "1" },
    { name: "ada", message: "y", id: "2" },
  ]);
  assert.deepEqual(told.slice(-2).map((each) => [each.code, each.id, each.retry_after_ms]), [
    ["rate_limited", "1", 3000],
    ["rate_limited", "2", 3000],
  ]);
  socket.close();
});

test("a name that is refused closes as a WebSocket does", async () => {
  const { told, closed } = await joined({}, { name: "bad" });
  assert.deepEqual(told.map((each) => each.code), ["bad_name"]);
  assert.deepEqual(closed, [1008]);
});

test("what a proxy answers in the server's place ends it, and stores nothing for good", async () => {
  const post = () => new Response("<h1>Not here</h1>", { status: 403 });
  const { socket, told, closed } = await joined({ seq: 0, post });
  socket.send('{"message":"x","id":"1"}');
  await settle();
  assert.deepEqual(closed, [1006]);
  assert.ok(!told.some((each) => each.error));
});

test("a ping is answered when the newest line has come, and not before", async () => {
  const server = { seq: 1, events: [event(1)] };
  const { socket, told } = await joined(server);
  socket.send('{"ping":1}');
  await settle();
  assert.deepEqual(told.at(-1), { pong: 1 });
  server.seq = 2; // said, but the events bring nothing
  socket.send('{"ping":2}');
  await settle();
  assert.deepEqual(told.at(-1), { pong: 1 });
  socket.close();
});
