/** The outbox as rows below the log. */
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

  /** An entry looks as its message will: grouped if it `continues` the one above. */
  show(/** @type {readonly Entry[]} */ entries, /** @type {(name: string) => boolean} */ continues) {
    const ids = new Set(entries.map((entry) => entry.id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let grouped = entries[0] !== undefined && continues(entries[0].name);
    for (const entry of entries) {
      this.#put(entry).classList.toggle("grouped", grouped && !entry.failed);
      grouped = !entry.failed;
    }
  }

  #put(/** @type {Entry} */ entry) {
    const known = this.#rows.get(entry.id);
    if (known && known.failed === entry.failed) return known.row;
    const waits = entry.failed ? null : element("span", { class: "fate" }, phrase("pending.waiting"));
    const head = [...speaker(entry.name, waits), messageText(entry.text)];
    const row = entry.failed
      ? element("article", { class: "row pending failed" }, ...head, this.#failure(entry.id, entry.failed))
      : element("article", { class: "row pending" }, ...head);
    if (known) known.row.replaceWith(row);
    else this.#list.append(row);
    this.#rows.set(entry.id, { row, failed: entry.failed });
    return row;
  }

  #failure(/** @type {string} */ id, /** @type {string} */ failed) {
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
