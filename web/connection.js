/** One socket at a time, and the way back to it. A browser can't send a WebSocket ping: the protocol has its own. */
import { afterClose, ping, read } from "./protocol.js";

/** Full jitter: after a restart, clients come back spread out. (AWS, "Exponential Backoff And Jitter".) */
export class Backoff {
  static CEILING = 30_000;
  static #FIRST = 1_000;
  static #LEAST = 250;
  #attempt = 0;
  #random;

  constructor(/** @type {() => number} */ random = Math.random) {
    this.#random = random;
  }

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
  /** @type {Timer} */ #beat;
  /** @type {Timer} */ #deadline;

  constructor(/** @type {(frame: string) => void} */ send, /** @type {() => void} */ dead) {
    this.#send = send;
    this.#dead = dead;
  }

  start() {
    this.#beat = setInterval(() => this.ask(), Heartbeat.EVERY);
  }

  /** Check now: after a sleep, a change of network. */
  ask() {
    this.#deadline ??= setTimeout(this.#dead, Heartbeat.PATIENCE);
    this.#send(ping(++this.#count));
  }

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
  /** Silence while connecting: a captive portal, a proxy that hangs. */
  static PATIENCE = 10_000;
  /** `hurry` leaves a younger attempt alone. */
  static #YOUNG = 3_000;
  #address;
  #owner;
  #backoff = new Backoff();
  #heartbeat = new Heartbeat(
    (frame) => this.send(frame),
    () => this.again(),
  );
  /** @type {Wire | null} */ #socket = null;
  /** @type {Timer} */ #retry;
  /** @type {Timer} */ #deadline;
  #begun = 0;
  #http = false;
  /** Something came on this socket; a room was joined. */
  heard = false;
  joined = false;
  /** WebSockets in a row that brought nothing, though HTTP works: fallback.js counts them. */
  deaf = 0;
  /** @type {Phase} */ phase = { phase: "stopped", code: 0 };

  constructor(/** @type {string | URL} */ address, /** @type {ConnectionOwner} */ owner) {
    this.#address = address;
    this.#owner = owner;
  }

  get open() {
    return this.phase.phase === "open";
  }

  /** Connect now, by a WebSocket or by the socket that is given; an open connection is dropped first. */
  connect(/** @type {Wire | null} */ other = null) {
    this.#release();
    /** @type {Wire} */ const socket = other ?? new WebSocket(this.#address);
    this.#socket = socket;
    this.#http = other !== null;
    this.heard = false;
    this.#begun = performance.now();
    this.#expect();
    this.#move({ phase: "connecting" });
    socket.onopen = () => {
      socket.send(this.#owner.hello());
      this.#heartbeat.start();
    };
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => this.#lost(code);
  }

  /** The network is back, or somebody looks: connect at once, or check the connection. */
  hurry() {
    const { phase } = this.phase;
    const old = performance.now() - this.#begun > Connection.#YOUNG;
    if (phase === "open") this.#heartbeat.ask();
    else if (phase === "waiting" || (phase === "connecting" && old)) this.connect();
  }

  send(/** @type {string} */ frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(frame); // 1 is open
  }

  /** Reconnect: something is missing. */
  again() {
    this.#lost(4408);
  }

  stop(code = 0) {
    this.#release();
    this.#move({ phase: "stopped", code });
  }

  #hear(/** @type {unknown} */ data) {
    if (typeof data !== "string") return;
    this.heard = true;
    if (!this.#http) this.deaf = 0;
    this.#heartbeat.heard();
    if (!this.open) this.#expect();
    const event = read(data);
    if (event.kind === "ready") {
      this.joined = true;
      this.#backoff.reset();
      clearTimeout(this.#deadline);
      this.#move({ phase: "open", http: this.#http });
    }
    this.#owner.heard(event);
  }

  #expect() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(4408, true), Connection.PATIENCE);
  }

  #lost(/** @type {number} */ code, late = false) {
    const after = afterClose(code);
    if (after === "never") return this.stop(code);
    this.#release();
    const wait = this.#backoff.next(after === "later" ? Connection.#LATER : 0);
    this.#retry = setTimeout(() => this.connect(), wait);
    this.#move({ phase: "waiting", until: performance.now() + wait, code });
    if (this.heard || this.#http) return;
    import("./fallback.js").then(({ fallBack }) => fallBack(this, this.#address, late)).catch(() => {});
  }

  #release() {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    this.#heartbeat.stop();
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null; // a late close is nobody's business
    socket.close();
  }

  #move(/** @type {Phase} */ phase) {
    this.phase = phase;
    this.#owner.moved(phase);
  }
}
