import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Backoff, Connection, Heartbeat } from "../../web/connection.js";

test("waits are spread over a ceiling that doubles up to 30 s", () => {
  const backoff = new Backoff(() => 1);
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7].map(() => backoff.next()),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  backoff.reset();
  assert.equal(backoff.next(), 1000);
});

test("a wait is never shorter than a quarter of a second, nor than it has to be", () => {
  const backoff = new Backoff(() => 0);
  assert.equal(backoff.next(), 250);
  assert.equal(backoff.next(5000), 5000);
});

class FakeSocket {
  static OPEN = 1;
  /** @type {FakeSocket[]} */ static all = [];
  readyState = 1;
  /** @type {string[]} */ sent = [];
  closed = false;
  /** @type {(() => void) | null} */ onopen = null;
  /** @type {((event: { data: string }) => void) | null} */ onmessage = null;
  /** @type {((event: { code: number }) => void) | null} */ onclose = null;

  constructor() {
    FakeSocket.all.push(this);
  }
  send(/** @type {string} */ frame) {
    this.sent.push(frame);
  }
  close() {
    this.closed = true;
  }
}

function connected() {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  mock.method(Math, "random", () => 1);
  Object.assign(globalThis, { WebSocket: FakeSocket });
  FakeSocket.all = [];
  /** @type {string[]} */ const phases = [];
  const connection = new Connection("ws://x/", {
    hello: () => "hello",
    heard: () => {},
    moved: ({ phase }) => phases.push(phase),
  });
  connection.connect();
  const socket = /** @type {FakeSocket} */ (FakeSocket.all[0]);
  socket.onopen?.();
  socket.onmessage?.({ data: '{"ready":true,"seq":0,"h":"00"}' });
  return { connection, socket, phases };
}

test.afterEach(() => mock.reset());
test.afterEach(() => mock.timers.reset());

test("the hello is the first frame, and ready opens", () => {
  const { connection, socket, phases } = connected();
  assert.deepEqual(socket.sent, ["hello"]);
  assert.deepEqual(phases, ["connecting", "open"]);
  assert.ok(connection.open);
});

test("a lost connection is tried again after the wait", () => {
  const { socket, phases } = connected();
  socket.onclose?.({ code: 1006 });
  mock.timers.tick(999);
  assert.equal(FakeSocket.all.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(phases, ["connecting", "open", "waiting", "connecting"]);
});

test("a close for good is not tried again", () => {
  const { socket, phases } = connected();
  socket.onclose?.({ code: 1008 });
  mock.timers.tick(120_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(phases.at(-1), "stopped");
});

test("a half-open socket is found by the ping that nobody answers", () => {
  const { socket, phases } = connected();
  mock.timers.tick(Heartbeat.EVERY);
  assert.equal(socket.sent.at(-1), '{"ping":1}');
  mock.timers.tick(Heartbeat.PATIENCE);
  assert.ok(socket.closed);
  assert.equal(phases.at(-1), "waiting");
  assert.equal(socket.onclose, null); // its late close, minutes later, is nobody's business
});

test("any frame is a sign of life", () => {
  const { socket, phases } = connected();
  mock.timers.tick(Heartbeat.EVERY);
  socket.onmessage?.({ data: '{"joined":"bob"}' });
  mock.timers.tick(Heartbeat.PATIENCE);
  assert.equal(phases.at(-1), "open");
});

test("a good moment ends the wait at once", () => {
  const { connection, socket } = connected();
  socket.onclose?.({ code: 1012 });
  connection.hurry();
  assert.equal(FakeSocket.all.length, 2);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 2); // the wait that was ended does not connect a second time
});
