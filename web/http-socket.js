/**
 * A room by HTTP, for networks that let no WebSocket through. It has a WebSocket's interface, and takes and gives the
 * same frames (docs/protocol.md): so the same code handles resume, ids and refusals both ways. What is said goes by
 * `POST …/messages`, what is heard comes by `GET …/events`. A follower by events is not a member: it is told no names
 * but its own, and others are not told of it, nor that it types. `members` counts the members and this client.
 */
import { events } from "./event-stream.js";
import { PATIENCE, Requests, refusalOf } from "./requests.js";

/** A token that is so many lines behind is not resumed from, as by a WebSocket. */
const FAR = 10_000;
/** A WebSocket is tried again after a minute, then after two … */
const RETURN = { first: 60_000, most: 300_000 };
/** Refusals that end a connection, with the code of its close. @type {Record<string, number>} */
const ENDING = { bad_name: 1008, name_too_long: 1009, storage_unavailable: 1013, unavailable: 1012 };

export class HttpSocket {
  readyState = 0;
  /** @type {Wire["onopen"]} */ onopen = null;
  /** @type {Wire["onmessage"]} */ onmessage = null;
  /** @type {Wire["onclose"]} */ onclose = null;
  #address;
  #back;
  #requests;
  #name = "";
  #posts = Promise.resolve();
  /** The newest line that came. */ #seq = 0;
  /** Each is answered when this line has come. @type {{ ping: number, seq: number }[]} */ #pings = [];
  #members = 0;
  #wait = RETURN.first;
  /** @type {Timer} */ #timer;

  /** @param {string | URL} address the WebSocket's @param {() => void} back is called when one can be opened again */
  constructor(address, back) {
    this.#address = address;
    this.#back = back;
    this.#requests = new Requests(address);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.({});
    });
  }

  /** Takes a frame of a client. */
  send(/** @type {string} */ frame) {
    const said = JSON.parse(frame);
    if (said.message !== undefined) this.#posts = this.#posts.then(() => this.#orEnd(() => this.#say(said)));
    else if (said.ping !== undefined) this.#orEnd(() => this.#check(said.ping));
    else if (said.name !== undefined) this.#orEnd(() => this.#join(said));
  }

  close() {
    this.readyState = 3;
    clearTimeout(this.#timer);
    this.#requests.end();
  }

  /** Does it; a network that fails, or an answer that is not the server's own, ends the connection. */
  async #orEnd(/** @type {() => Promise<void>} */ act) {
    await act().catch(() => this.#end(1006));
  }

  #end(/** @type {number} */ code) {
    if (this.readyState === 3) return;
    this.close();
    this.onclose?.({ code });
  }

  #tell(/** @type {string} */ frame) {
    if (this.readyState === 1) this.onmessage?.({ data: frame });
  }

  /** A line that is newer than what was heard comes by the events as well, in its order; an older one does not. */
  async #say(/** @type {{ message: string, id: string }} */ { message, id }) {
    const { line, refusal } = await this.#requests.post({ name: this.#name, message, id });
    if (refusal) this.#tell(JSON.stringify({ ...refusal, id }));
    else if (JSON.parse(line).seq <= this.#seq) this.#tell(line);
  }

  /** Answers when the newest line has come: never, if the events have stopped. */
  async #check(/** @type {number} */ ping) {
    const { seq, members } = await this.#requests.info();
    if (members !== this.#members) this.#tell(this.#count(members));
    this.#pings.push({ ping, seq });
    this.#pong();
  }

  #pong() {
    for (const { ping, seq } of this.#pings) if (seq <= this.#seq) this.#tell(JSON.stringify({ pong: ping }));
    this.#pings = this.#pings.filter(({ seq }) => seq > this.#seq);
  }

  #count(/** @type {number} */ members) {
    this.#members = members;
    return JSON.stringify({ members: members + 1 });
  }

  /** @param {{ name: string, backlog: number, since?: Token }} hello */
  async #join({ name, backlog, since }) {
    this.#name = name;
    if (!(await this.#admitted())) return;
    const info = await this.#requests.info();
    const far = since !== undefined && info.seq - since.seq > FAR;
    const from = since && !far ? since : { seq: Math.max(0, info.seq - backlog), h: "" };
    const answer = await this.#requests.events(from);
    if (!answer.ok || !answer.body) return this.#refuse(await refusalOf(answer));
    this.#timer = setTimeout(() => this.#tryBack(), this.#wait);
    this.#tell(JSON.stringify({ joined: name || "anonymous" }));
    this.#tell(this.#count(info.members));
    this.#seq = from.seq;
    await this.#follow(answer.body, info, since ? (far ? "far" : "") : null);
    this.#end(1006);
  }

  /** The server checks a message's text last: it refuses an empty one for that, if it takes the name and the page. */
  async #admitted() {
    const { refusal } = await this.#requests.post({ name: this.#name, message: "" });
    if (refusal?.code === "empty_message") return true;
    if (refusal) this.#refuse(refusal);
    return false;
  }

  #refuse(/** @type {{ error: string, code: string }} */ refusal) {
    this.#tell(JSON.stringify(refusal));
    this.#end(ENDING[refusal.code] ?? 1006);
  }

  /**
   * Lines, and `ready` after the last one of those that were there. The server begins with the place, or with a line.
   * @param {ReadableStream<Uint8Array>} body
   * @param {import("./requests.js").Info} info
   * @param {string | null} reason why it does not resume: "" it does, null nobody wanted to
   */
  async #follow(body, info, reason) {
    let [goal, ready] = [{ seq: info.seq, h: info.h }, false];
    const arrive = () => {
      if (ready || this.#seq < goal.seq) return;
      ready = true;
      const recovered = reason === null ? {} : { recovered: !reason, ...(reason && { reason }) };
      this.#tell(JSON.stringify({ ready: true, ...info, ...goal, members: info.members + 1, ...recovered }));
    };
    for await (const { event, id, data } of events(body)) {
      if (event === "reset") {
        const reset = JSON.parse(data);
        goal = { seq: reset.seq, h: reset.h };
        if (reason === "") reason = reset.reason;
        this.#seq = 0;
      }
      if (event === "message" && data) {
        this.#seq = JSON.parse(data).seq;
        this.#tell(data);
      } else if (id) this.#seq = Number.parseInt(id, 10);
      arrive();
      this.#pong();
    }
  }

  #tryBack() {
    const socket = new WebSocket(this.#address);
    const patience = setTimeout(() => socket.close(), PATIENCE);
    this.#wait = Math.min(RETURN.most, 2 * this.#wait);
    socket.onopen = () => {
      socket.close();
      if (this.readyState === 1) this.#back();
    };
    socket.onclose = () => {
      clearTimeout(patience);
      if (this.readyState === 1) this.#timer = setTimeout(() => this.#tryBack(), this.#wait);
    };
  }
}
