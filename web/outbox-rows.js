/** The outbox as rows below the log: on their way, waiting, or refused with what to do about it. */
import { element } from "./dom.js";
import { messageText, speaker } from "./message-row.js";
import { ENGLISH, phrase } from "./strings.js";

/** @typedef {{ retry: (id: string) => void, remove: (id: string) => void }} Actions */

export class OutboxRows {
  #list;
  #actions;
  /** @type {Map<string, { row: HTMLElement, failed: string | null }>} */ #rows = new Map();

  constructor(/** @type {HTMLElement} */ list, /** @type {Actions} */ actions) {
    this.#list = list;
    this.#actions = actions;
  }

  show(/** @type {readonly import("./outbox.js").Entry[]} */ entries) {
    const ids = new Set(entries.map((entry) => entry.id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const entry of entries) this.#put(entry);
  }

  #put(/** @type {import("./outbox.js").Entry} */ entry) {
    const known = this.#rows.get(entry.id);
    if (known && known.failed === entry.failed) return;
    const row = element(
      "article",
      { class: `row pending${entry.failed ? " failed" : ""}` },
      ...speaker(entry.name, null),
      messageText(entry.text),
      this.#fate(entry),
    );
    if (known) known.row.replaceWith(row);
    else this.#list.append(row);
    this.#rows.set(entry.id, { row, failed: entry.failed });
  }

  /** What becomes of it: a mark that appears (by the style sheet) after 300 ms, or the reason and two ways on. */
  #fate(/** @type {import("./outbox.js").Entry} */ { id, failed }) {
    if (failed === null) return element("p", { class: "fate" }, phrase("pending.waiting"));
    const reason = `refused.${failed}` in ENGLISH ? phrase(`refused.${failed}`) : phrase("refused.other");
    const retry = element("button", { type: "button", class: "small" }, phrase("pending.retry"));
    const remove = element("button", { type: "button", class: "small quiet" }, phrase("pending.delete"));
    retry.addEventListener("click", () => this.#actions.retry(id));
    remove.addEventListener("click", () => this.#actions.remove(id));
    return element(
      "div",
      { class: "fate", role: "alert" },
      element("p", {}, `${phrase("pending.failed")} ${reason}`),
      retry,
      remove,
    );
  }
}
