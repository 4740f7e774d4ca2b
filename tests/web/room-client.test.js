import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { EventQueue } from "../../web/event-queue.js";
import { Refused, RoomError, open } from "../../web/room-client.js";
import { MemoryStorage } from "./memory_storage.js";

const LIMITS = { message_chars: 20, name_chars: 32, interval_ms: 0, grace_ms: 0 };
const h = (/** @type {number} */ seq) => `${seq}`.padStart(16, "0");
const line = (/** @type {number} */ seq, message = `${seq}`, id = "") =>
  JSON.stringify({ seq, timestamp: 1, name: "bo", message, id, h: h(seq) });

/** A server's side of a WebSocket: it answers the hello with lines up to its head, and `ready`. */
class FakeSocket {
  /** @type {FakeSocket[]} */ static all = [];
  static head = 0;
  readyState = 1;
  /** @type {any[]} */ sent = [];
  /** @type {(() => void) | null} */ onopen = null;
  /** @type {((event: { data: string }) => void) | null} */ onmessage = null;
  /** @type {((event: { code: number }) => void) | null} */ onclose = null;

  constructor(/** @type {URL} */ address) {
    this.address = String(address);
    FakeSocket.all.push(this);
    queueMicrotask(() => this.onopen?.());
  }
  send(/** @type {string} */ frame) {
    const said = JSON.parse(frame);
    this.sent.push(said);
    if (said.name !== undefined) this.#join(said);
  }
  #join(/** @type {any} */ { since, backlog }) {
    this.tell({ joined: "ada" });
    for (let seq = 1 + (since?.seq ?? FakeSocket.head - backlog); seq <= FakeSocket.head; seq++)
      if (seq > 0) this.onmessage?.({ data: line(seq) });
    const ready = { ready: true, seq: FakeSocket.head, h: h(FakeSocket.head), members: 1, limits: LIMITS };
    this.tell(since ? { ...ready, recovered: true } : ready);
  }
  tell(/** @type {object} */ frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  say(/** @type {string} */ message, id = "") {
    FakeSocket.head += 1;
    this.onmessage?.({ data: line(FakeSocket.head, message, id) });
  }
  close() {
    this.readyState = 3;
  }
}

test.beforeEach(() => {
  Object.assign(globalThis, { WebSocket: FakeSocket });
  Object.assign(FakeSocket, { all: [], head: 0 });
  mock.method(Math, "random", () => 0);
});
test.afterEach(() => mock.restoreAll());

const last = () => /** @type {FakeSocket} */ (FakeSocket.all.at(-1));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The kinds of the next events, lines by their text. */
async function take(/** @type {import("../../web/client.js").Room} */ room, /** @type {number} */ count) {
  const found = [];
  const iterator = room[Symbol.asyncIterator]();
  for (let taken = 0; taken < count; taken++) {
    const { value } = await iterator.next();
    found.push(value?.kind === "line" ? value.message : value?.kind);
  }
  return found;
}

const addresses = [
  ["http://h:1/room/lobby", "ws://h:1/api/room/lobby/websocket"],
  ["https://h/chat/room/a%20b/?x=/room/y#7", "wss://h/chat/api/room/a%20b/websocket"],
  ["wss://h/room/lobby", "wss://h/api/room/lobby/websocket"],
];
for (const [url, socket] of addresses) {
  test(`the WebSocket of ${url}`, async () => {
    const room = await open(String(url));
    assert.equal(last().address, socket);
    room.close();
  });
}

test("what is not a room's address is a TypeError", async () => {
  for (const url of ["http://h/", "lobby", "http://h/room/"]) await assert.rejects(open(url), TypeError);
});

test("the backlog, ready, then what is said now", async () => {
  FakeSocket.head = 2;
  const room = await open("http://h/room/lobby", "ada");
  assert.deepEqual(room.names, ["ada"]);
  last().say("now");
  const iterator = room[Symbol.asyncIterator]();
  const events = [];
  for (let taken = 0; taken < 4; taken++) events.push((await iterator.next()).value);
  assert.deepEqual(events.map((event) => (event?.kind === "line" ? [event.message, event.live] : event?.kind)), [
    ["1", false],
    ["2", false],
    "ready",
    ["now", true],
  ]);
  assert.deepEqual(room.token, { seq: 3, h: h(3) });
  room.close();
});

test("a message is said again with its id after a cut, and its line is the answer", async () => {
  const room = await open("http://h/room/lobby", "ada");
  const said = room.say("hello");
  const { id } = last().sent.at(-1);
  mock.timers.enable({ apis: ["setTimeout"] });
  last().onclose?.({ code: 1006 });
  mock.timers.tick(1_000);
  mock.timers.reset();
  await turn();
  assert.deepEqual(last().sent.slice(1), [{ message: "hello", id }]);
  last().say("hello", id);
  assert.deepEqual([(await said).seq, (await said).mine], [1, true]);
  room.close();
});

const refusals = [
  ["message_too_long", "x".repeat(21), null],
  ["empty_message", " ", { error: "no", code: "empty_message" }],
  ["id_conflict", "x", { error: "no", code: "id_conflict" }],
];
for (const [code, text, frame] of /** @type {[string, string, object | null][]} */ (refusals)) {
  test(`${code} rejects, and the next one goes`, async () => {
    const room = await open("http://h/room/lobby", "ada");
    const said = assert.rejects(room.say(text), (error) => error instanceof Refused && error.code === code);
    if (frame) last().tell({ ...frame, id: last().sent.at(-1).id });
    await said;
    const next = room.say("next");
    last().say("next", last().sent.at(-1).id);
    assert.equal((await next).message, "next");
    room.close();
  });
}

test("unsent messages are kept over a reload, and said by the next page", async () => {
  const storage = /** @type {Storage} */ (/** @type {unknown} */ (new MemoryStorage()));
  const before = await open("http://h/room/lobby", "ada", { storage });
  const said = assert.rejects(before.say("hello"), RoomError);
  const { id } = last().sent.at(-1);
  before.close();
  await said;
  const room = await open("http://h/room/lobby", "ada", { storage });
  assert.deepEqual(last().sent.at(-1), { message: "hello", id });
  last().say("hello", id);
  const iterator = room[Symbol.asyncIterator]();
  await iterator.next();
  const { value } = await iterator.next();
  assert.ok(value?.kind === "line" && value.mine);
  assert.deepEqual(Object.keys(storage).filter((key) => key.startsWith("edgechat")), []);
  room.close();
});

test("more than fits is fetched from the history when all was taken: each line once", async () => {
  const room = await open("http://h/room/lobby", "ada");
  for (let count = 0; count < EventQueue.MOST + 10; count++) last().say("x");
  await take(room, EventQueue.MOST);
  await turn();
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(last().sent[0].since, { seq: EventQueue.MOST - 1, h: h(EventQueue.MOST - 1) });
  const missed = await take(room, 12);
  assert.deepEqual(missed, [...Array.from({ length: 11 }, (_, at) => `${EventQueue.MOST + at}`), "ready"]);
  room.close();
});

test("a name that is refused, and a server that does not answer", async () => {
  class Refusing extends FakeSocket {
    /** @override */
    send() {
      queueMicrotask(() => this.tell({ error: "no", code: "bad_name" }));
      queueMicrotask(() => this.onclose?.({ code: 1008 }));
    }
  }
  Object.assign(globalThis, { WebSocket: Refusing });
  const refused = open("http://h/room/lobby", "a\u202eb");
  await assert.rejects(refused, (error) => /** @type {any} */ (error).code === "bad_name");
  class Silent extends FakeSocket {
    /** @override */
    send() {}
  }
  Object.assign(globalThis, { WebSocket: Silent });
  const late = open("http://h/room/lobby", "ada", { within: 1 });
  await assert.rejects(late, (error) => /** @type {any} */ (error).code === "unreachable");
});
