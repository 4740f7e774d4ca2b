/** What is wrong with the connection, and when it is tried again; interruptions under two seconds are not shown. */
import { part } from "./dom.js";
import { phrase } from "./strings.js";

export class Banner {
  static PATIENCE = 2_000;
  /** The error code before a close. */
  refusal = "";
  #root;
  #reason;
  #countdown;
  /** @type {Phase} */ #phase = { phase: "connecting" };
  /** @type {Timer} */ #patience;
  /** @type {Timer} */ #tick;

  constructor(/** @type {HTMLElement} */ root, /** @type {() => void} */ tryNow) {
    this.#root = root;
    this.#reason = part(root, ".reason", HTMLElement);
    this.#countdown = part(root, ".countdown", HTMLElement);
    part(root, "button", HTMLButtonElement).addEventListener("click", tryNow);
  }

  moved(/** @type {Phase} */ phase) {
    this.#phase = phase;
    if (phase.phase === "open") return this.#hide();
    if (phase.phase === "stopped") return this.#show();
    if (!this.#root.hidden) return this.#draw();
    this.#patience ??= setTimeout(() => this.#show(), Banner.PATIENCE);
  }

  #show() {
    this.#root.hidden = false;
    this.#tick ??= setInterval(() => this.#draw(), 500);
    this.#draw();
  }

  #hide() {
    clearTimeout(this.#patience);
    clearInterval(this.#tick);
    this.#patience = this.#tick = undefined;
    this.#root.hidden = true;
    this.refusal = "";
  }

  /** The reason is a live region: change it seldom. */
  #draw() {
    const kept = this.#phase.phase === "stopped" ? "" : ` ${phrase("banner.kept")}`;
    const reason = phrase(this.#why()) + kept;
    if (this.#reason.textContent !== reason) this.#reason.textContent = reason;
    this.#countdown.textContent = this.#when();
  }

  #why() {
    if (this.#phase.phase === "stopped") return this.#phase.code === 404 ? "room.gone" : "banner.stopped";
    if (!navigator.onLine) return "banner.offline";
    const code = "code" in this.#phase ? this.#phase.code : 0;
    if (code === 1012) return "banner.restart";
    if (code === 1013) return this.refusal === "storage_unavailable" ? "banner.storage" : "banner.full";
    return this.refusal === "origin_refused" ? "banner.refused" : "banner.lost";
  }

  #when() {
    if (this.#phase.phase === "stopped") return "";
    if (this.#phase.phase !== "waiting") return phrase("banner.trying");
    return phrase("banner.wait", { count: Math.max(1, Math.ceil((this.#phase.until - performance.now()) / 1000)) });
  }
}
