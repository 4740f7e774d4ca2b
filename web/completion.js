/** Names after an @: which, and the list that offers them. */
import "./strings-later.js";
import { addStyles, element } from "./dom.js";
import { phrase } from "./strings.js";

/** What stands between the last @ and the caret, and the names that begin so. Pure. */
export function offers(/** @type {string} */ text, /** @type {number} */ caret, /** @type {string[]} */ names) {
  const found = /(?:^|[\s(])@([^\s@]{0,32})$/u.exec(text.slice(0, caret));
  if (!found) return { start: caret, names: [] };
  const begun = (found[1] ?? "").toLowerCase();
  const fitting = names.filter((name) => name.toLowerCase().startsWith(begun)).slice(0, 6);
  return { start: caret - begun.length, names: fitting };
}

export class Completion {
  #field;
  #list;
  #names;
  #chosen = -1;
  #start = 0;
  /** @type {string[]} */ #offered = [];

  constructor(
    /** @type {HTMLTextAreaElement} */ field,
    /** @type {HTMLElement} */ list,
    /** @type {() => string[]} */ names,
  ) {
    this.#field = field;
    this.#list = list;
    this.#names = names;
    addStyles("completion.css");
    list.addEventListener("mousedown", (event) => this.#picked(event));
  }

  get open() {
    return this.#offered.length > 0;
  }

  update() {
    const { start, names } = offers(this.#field.value, this.#field.selectionStart, this.#names());
    this.#start = start;
    this.#offered = names;
    this.#chosen = -1;
    this.#draw();
  }

  close() {
    this.#offered = [];
    this.#draw();
  }

  /** True if the key was for the list. Enter picks only what an arrow has chosen: otherwise it sends. */
  key(/** @type {string} */ key) {
    if (!this.open) return false;
    const count = this.#offered.length;
    if (key === "ArrowDown") this.#chosen = (this.#chosen + 1) % count;
    else if (key === "ArrowUp") this.#chosen = (Math.max(this.#chosen, 0) + count - 1) % count;
    else if (key === "Tab" || (key === "Enter" && this.#chosen >= 0)) return this.#take(Math.max(this.#chosen, 0));
    else if (key === "Escape") this.#offered = [];
    else return false;
    this.#draw();
    return true;
  }

  #take(/** @type {number} */ at) {
    this.#field.setRangeText(`${this.#offered[at]} `, this.#start, this.#field.selectionStart, "end");
    this.close();
    return true;
  }

  #picked(/** @type {Event} */ event) {
    event.preventDefault(); // the field keeps the focus
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option) this.#take([...this.#list.children].indexOf(option));
  }

  #draw() {
    const options = this.#offered.map((name, at) =>
      element(
        "li",
        { role: "option", id: `offer-${at}`, "aria-selected": String(at === this.#chosen) },
        element("bdi", {}, name),
      ),
    );
    this.#list.replaceChildren(...options);
    this.#list.hidden = !this.open;
    this.#list.setAttribute("aria-label", phrase("compose.names"));
    if (this.#chosen >= 0) this.#field.setAttribute("aria-activedescendant", `offer-${this.#chosen}`);
    else this.#field.removeAttribute("aria-activedescendant");
  }
}
