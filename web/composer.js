/** The field for a message. Its text is the room's draft until it is sent. */
import { part } from "./dom.js";
import { shows } from "./names.js";
import { phrase } from "./strings.js";

/**
 * The command that was typed. A path (/etc/hosts) is not a command, and // stands for a slash to be said.
 * @returns {Command}
 */
export function command(/** @type {string} */ typed) {
  const found = /^\/(\p{L}+)(?:\s+([\s\S]*))?$/u.exec(typed.trim());
  if (!found) return { kind: "say", text: typed.startsWith("//") ? typed.slice(1) : typed };
  const [, verb = "", argument = ""] = found;
  switch (verb.toLowerCase()) {
    case "name":
    case "nick":
      return argument ? { kind: "name", name: argument.trim() } : { kind: "help" };
    case "rooms":
      return { kind: "rooms" };
    case "help":
      return { kind: "help" };
    default:
      return { kind: "unknown", command: `/${verb}` };
  }
}

/** Control characters of slides, PDFs and terminals become newlines, or go: the server refuses them. */
export function clean(/** @type {string} */ text) {
  const lines = text.toWellFormed().replace(/\r\n?|[\v\f\x85]/g, "\n");
  return lines.replace(/[^\P{Cc}\n\t]/gu, "");
}

export class Composer {
  static #NEAR = 200;
  static #TYPING_EVERY = 3_000;
  #limit = 2000;
  #field;
  #counter;
  #root;
  /** @type {import("./completion.js").Completion | null} */ #completion = null;
  #handlers;
  #draft;
  #lastTyping = -Infinity;
  /** A phone has no Shift+Enter: there Enter breaks the line. */
  #touch = matchMedia("(pointer: coarse)");
  /** @type {string[]} */ #said = [];
  #recalled = 0;

  constructor(/** @type {HTMLElement} */ root, /** @type {Draft} */ draft, /** @type {ComposerHandlers} */ handlers) {
    this.#field = part(root, "textarea", HTMLTextAreaElement);
    this.#counter = part(root, ".counter", HTMLElement);
    this.#root = root;
    this.#handlers = handlers;
    this.#draft = draft;
    this.#field.value = draft.get();
    this.#field.addEventListener("input", () => this.#changed(true));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("blur", () => this.#completion?.close());
    part(root, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    root.addEventListener("paste", (event) => this.#files(event, event.clipboardData));
    for (const type of /** @type {const} */ (["dragover", "drop"]))
      window.addEventListener(type, (event) => this.#files(event, event.dataTransfer));
    if (this.#touch.matches) this.#field.setAttribute("enterkeyhint", "enter");
    this.#changed(false);
  }

  /** A browser would leave the page for a dropped file. */
  #files(/** @type {Event} */ event, /** @type {DataTransfer | null} */ data) {
    if (!data?.types.includes("Files") || data.types.includes("text/plain")) return;
    event.preventDefault();
    this.#handlers.files();
  }

  focus() {
    this.#field.focus();
  }

  get text() {
    return this.#field.value;
  }

  set text(/** @type {string} */ text) {
    this.#field.value = text;
    this.#changed(false);
  }

  /** Put a text back that was not sent, before what is written here. */
  restore(/** @type {string} */ text) {
    this.text = [text, this.text].filter(Boolean).join("\n");
    this.focus();
  }

  /** How many code points are left. */
  measure(limit = this.#limit) {
    this.#limit = limit;
    const left = limit - [...this.text].length;
    this.#counter.hidden = left > Composer.#NEAR;
    this.#counter.classList.toggle("over", left < 0);
    this.#counter.textContent =
      left < 0 ? phrase("compose.over", { count: -left }) : phrase("compose.left", { count: left });
    return left;
  }

  #submit() {
    const typed = clean(this.text);
    if (!shows(typed) || this.measure() < 0) return this.focus();
    if (!this.#handlers.submit(command(typed))) return;
    if (this.#said.at(-1) !== typed) this.#said.push(typed);
    this.#recalled = this.#said.length;
    this.text = "";
    this.focus();
  }

  #key(/** @type {KeyboardEvent} */ event) {
    if (event.isComposing || event.keyCode === 229) return; // 229: Safari ends the composition before its Enter
    if (this.#completion?.key(event.key)) {
      event.preventDefault();
      this.#changed(false);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey || !(event.shiftKey || this.#touch.matches))) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (this.#recall(event.key === "ArrowUp" ? -1 : 1)) event.preventDefault();
    }
  }

  /** Arrow up goes through what was said, unless the field holds something else. */
  #recall(/** @type {-1 | 1} */ step) {
    const untouched = this.text === "" || this.text === this.#said[this.#recalled];
    const wanted = this.#recalled + step;
    if (!untouched || wanted < 0 || wanted > this.#said.length) return false;
    this.#recalled = wanted;
    this.text = this.#said[wanted] ?? "";
    return true;
  }

  #changed(/** @type {boolean} */ byHand) {
    this.#draft.set(this.text);
    this.#root.style.blockSize = `${this.#root.offsetHeight}px`; // nothing else moves
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
    this.#root.style.blockSize = "";
    this.measure();
    if (!byHand) return;
    this.#complete();
    const now = performance.now();
    if (!this.text || this.text.startsWith("/") || now - this.#lastTyping < Composer.#TYPING_EVERY) return;
    this.#lastTyping = now;
    this.#handlers.typing();
  }

  async #complete() {
    if (!this.#completion && this.text.includes("@")) {
      const module = await import("./completion.js").catch(() => null); // offline: nothing is offered
      if (module)
        this.#completion ??= new module.Completion(
          this.#field,
          part(this.#root, ".offers", HTMLElement),
          this.#handlers.names,
        );
    }
    this.#completion?.update();
  }
}
