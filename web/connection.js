/**
 * One socket at a time, and the way back to it. The owner hears frames and phases; it never sees a socket.
 * A half-open socket is found by the protocol's own ping, because a browser cannot send a WebSocket ping.
 */
import { afterClose, ping, read } from "./protocol.js";

/**
 * Full-jitter back-off: each wait is anywhere between a moment and a ceiling that doubles, so that a thousand
 * clients of a restarted server come back spread out. (AWS Architecture Blog, "Exponential Backoff And Jitter".)
 */
export class Backoff {
  static CEILING = 30_000;
  static #FIRST = 1_000;
  static #LEAST = 250;
  #attempt = 0;
  #random;

  constructor(/** @type {() => number} */ random = Math.random) {
    this.#random = random;
  }

  /** The next wait in ms, at least `least`. */
  next(least = 0) {
    const ceiling = Math.min(Backoff.CEILING, Backoff.#FIRST * 2 ** this.#attempt++);
    return Math.max(Backoff.#LEAST, least + Math.round(this.#random() * ceiling));
  }

  reset() {
    this.#attempt = 0;
  }
}

export class Heartbeat {
  static EVERY = 20_000;
  static PATIENCE = 8_000;
  #send;
  #dead;
  #count = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #beat;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #deadline;

  constructor(/** @type {(frame: string) => void} */ send, /** @type {() => void} */ dead) {
    this.#send = send;
    this.#dead = dead;
  }

  start() {
    this.#beat = setInterval(() => this.ask(), Heartbeat.EVERY);
  }

  /** Ask for a sign of life now: after a sleep, a change of network, a look at a tab long hidden. */
  ask() {
    this.#deadline ??= setTimeout(this.#dead, Heartbeat.PATIENCE);
    this.#send(ping(++this.#count));
  }

  /** Any frame is a sign of life. */
  heard() {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  stop() {
    this.heard();
    clearInterval(this.#beat);
  }
}

export class Connection {
  static #LATER = 5_000;
  /** A server that says nothing for this long while one connects is not there: a captive portal, a proxy that hangs. */
  static PATIENCE = 10_000;
  /** An attempt younger than this is not begun anew for a good moment. */
  static #YOUNG = 3_000;
  #address;
  #owner;
  #backoff = new Backoff();
  #heartbeat = new Heartbeat(
    (frame) => this.send(frame),
    () => this.#lost(4408),
  );
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #deadline;
  #begun = 0;
  /** @type {Phase} */ #phase = { phase: "stopped", code: 0 };

  constructor(/** @type {string | URL} */ address, /** @type {ConnectionOwner} */ owner) {
    this.#address = address;
    this.#owner = owner;
  }

  get open() {
    return this.#phase.phase === "open";
  }

  /** Connect now, whatever was waited for; a connection that stands is let go first. */
  connect() {
    this.#release();
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    this.#begun = performance.now();
    this.#expect();
    this.#move({ phase: "connecting" });
    socket.onopen = () => {
      socket.send(this.#owner.hello());
      this.#heartbeat.start();
    };
    socket.onmessage = ({ data }) => this.#heard(data);
    socket.onclose = ({ code }) => this.#lost(code);
  }

  /** A good moment: the network is back, the page is looked at. Try at once, or check that the server is there. */
  hurry() {
    const { phase } = this.#phase;
    const old = performance.now() - this.#begun > Connection.#YOUNG;
    if (phase === "open") this.#heartbeat.ask();
    else if (phase === "waiting" || (phase === "connecting" && old)) this.connect();
  }

  send(/** @type {string} */ frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  /** Let go and come back, as after a loss: what was heard does not fit what is known. */
  again() {
    this.#lost(4408);
  }

  stop(code = 0) {
    this.#release();
    this.#move({ phase: "stopped", code });
  }

  #heard(/** @type {unknown} */ data) {
    if (typeof data !== "string") return;
    this.#heartbeat.heard();
    if (!this.open) this.#expect();
    const event = read(data);
    if (event.kind === "ready") {
      this.#backoff.reset();
      clearTimeout(this.#deadline);
      this.#move({ phase: "open" });
    }
    this.#owner.heard(event);
  }

  #expect() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(4408), Connection.PATIENCE);
  }

  #lost(/** @type {number} */ code) {
    const after = afterClose(code);
    if (after === "never") return this.stop(code);
    this.#release();
    const wait = this.#backoff.next(after === "later" ? Connection.#LATER : 0);
    this.#retry = setTimeout(() => this.connect(), wait);
    this.#move({ phase: "waiting", until: performance.now() + wait, code });
  }

  #release() {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    this.#heartbeat.stop();
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null; // a half-open socket reports its close minutes later
    socket.close();
  }

  #move(/** @type {Phase} */ phase) {
    this.#phase = phase;
    this.#owner.moved(phase);
  }
}
