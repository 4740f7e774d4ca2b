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

function connecting() {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  let now = 0;
  mock.method(performance, "now", () => now);
  const wait = (/** @type {number} */ ms) => {
    now += ms;
    mock.timers.tick(ms);
  };
  mock.method(Math, "random", () => 1);
  Object.assign(globalThis, { WebSocket: FakeSocket });
  mock.method(globalThis, "fetch", async () => new Response("", { status: 502 }));
  FakeSocket.all = [];
  /** @type {string[]} */ const phases = [];
  const connection = new Connection("ws://x/", {
    hello: () => "hello",
    heard: () => {},
    moved: ({ phase }) => phases.push(phase),
  });
  connection.connect();
  const socket = /** @type {FakeSocket} */ (FakeSocket.all[0]);
  return { connection, socket, phases, wait };
}

function connected() {
  const { connection, socket, phases } = connecting();
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

test("a server that accepts and never answers is given up after ten seconds", () => {
  const { socket, phases, wait } = connecting();
  wait(9_999);
  assert.equal(phases.at(-1), "connecting");
  wait(1);
  assert.ok(socket.closed);
  assert.equal(phases.at(-1), "waiting");
});

test("so is one that opens and does not say ready", () => {
  const { socket, phases, wait } = connecting();
  wait(6_000);
  socket.onopen?.();
  wait(4_000);
  assert.equal(phases.at(-1), "waiting");
});

test("a long backlog on a slow line is not given up while it comes", () => {
  const { socket, phases, wait } = connecting();
  socket.onopen?.();
  for (let count = 0; count < 10; count++) {
    wait(5_000);
    socket.onmessage?.({ data: '{"joined":"bob"}' });
  }
  socket.onmessage?.({ data: '{"ready":true,"seq":0,"h":"00"}' });
  wait(15_000);
  assert.equal(phases.at(-1), "open");
});

test("a good moment begins an old attempt anew, and leaves a young one", () => {
  const { connection, wait } = connecting();
  wait(3_000);
  connection.hurry();
  assert.equal(FakeSocket.all.length, 1);
  wait(1);
  connection.hurry();
  assert.equal(FakeSocket.all.length, 2);
  assert.ok(FakeSocket.all[0]?.closed);
});

test("a good moment does not bring back what the server ended for good", () => {
  const { connection, socket } = connected();
  socket.onclose?.({ code: 1008 });
  connection.hurry();
  assert.equal(FakeSocket.all.length, 1);
});
