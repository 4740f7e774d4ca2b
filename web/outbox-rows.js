/** The outbox as rows below the log. */
import { element } from "./dom.js";
import { messageText, speaker } from "./message-row.js";
import { phrase } from "./strings.js";

export class OutboxRows {
  #list;
  #actions;
  /** @type {Map<string, { row: HTMLElement, failed: string | null }>} */ #rows = new Map();

  constructor(/** @type {HTMLElement} */ list, /** @type {EntryActions} */ actions) {
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
    for (const [at, entry] of entries.entries()) {
      const [row, there] = [this.#put(entry), this.#list.children[at]];
      if (there !== row) this.#list.insertBefore(row, there ?? null); // another tab's may be older
      row.classList.toggle("grouped", grouped && !entry.failed);
      grouped = !entry.failed;
    }
  }

  #put(/** @type {Entry} */ entry) {
    const known = this.#rows.get(entry.id);
    if (known && known.failed === entry.failed) {
      if (entry.sent) known.row.querySelector(".edit")?.remove();
      return known.row;
    }
    const waits = entry.failed ? null : element("span", { class: "fate" }, phrase("pending.waiting"));
    const row = element("article", { class: "row pending" }, ...speaker(entry.name, waits), messageText(entry.text));
    if (entry.failed) this.#fail(row, entry);
    else if (!entry.sent) row.append(this.#edit(entry));
    known?.row.remove();
    this.#rows.set(entry.id, { row, failed: entry.failed });
    return row;
  }

  /** While the server is away, what it never got can still be changed. */
  #edit(/** @type {Entry} */ entry) {
    const edit = element("button", { type: "button", class: "edit small" }, phrase("pending.edit"));
    edit.addEventListener("click", () => this.#actions.edit(entry));
    return edit;
  }

  #fail(/** @type {HTMLElement} */ row, /** @type {Entry} */ entry) {
    const fate = element("div", { class: "fate", role: "alert" }, phrase("pending.failed"));
    row.classList.add("failed");
    row.append(fate);
    import("./failure.js").then(
      ({ showFailure }) => showFailure(fate, entry, this.#actions),
      () => {},
    );
  }
}
