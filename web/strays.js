/** What tabs that are gone wrote here under other names: nobody would send it. Loaded if there is any. */
import "./strings-later.js";
import { element } from "./dom.js";
import { ways } from "./failure.js";
import { messageText, speaker } from "./message-row.js";
import { phrase } from "./strings.js";

/** By then a tab that lives has sent what it wrote. */
const PATIENCE = 10_000;

/** Show those that nobody has sent after a while in `list`. */
export function watchStrays(
  /** @type {HTMLElement} */ list,
  /** @type {import("./outbox.js").Outbox} */ outbox,
  /** @type {EntryActions} */ actions,
) {
  const before = new Set(outbox.strays.map(({ id }) => id));
  setTimeout(() => {
    const left = outbox.strays.filter(({ id }) => before.has(id));
    list.replaceChildren(...left.map((entry) => stray(entry, actions)));
  }, PATIENCE);
}

function stray(/** @type {Entry} */ entry, /** @type {EntryActions} */ actions) {
  const buttons = ways(entry, actions, ["adopt", "edit", "remove"]);
  const reason = element("p", {}, phrase("pending.stray", { name: entry.name }));
  const fate = element("div", { class: "fate" }, reason, ...buttons);
  const said = [...speaker(entry.name, null), messageText(entry.text)];
  const row = element("article", { class: "row pending failed" }, ...said, fate);
  for (const button of buttons) button.addEventListener("click", () => row.remove());
  return row;
}
