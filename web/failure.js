/** Why a message was refused, and what can be done about it. Loaded with the first one. */
import "./strings-later.js";
import { addStyles, element } from "./dom.js";
import { ENGLISH, phrase } from "./strings.js";

/** Sending the same again would be refused again. */
const HOPELESS = ["bad_message", "empty_message", "bad_frame"];
const LABELS = { retry: "pending.retry", adopt: "pending.adopt", edit: "pending.edit", remove: "pending.delete" };

addStyles("failure.css");

/** A button for each action. */
export function ways(
  /** @type {Entry} */ entry,
  /** @type {EntryActions} */ actions,
  /** @type {(keyof EntryActions)[]} */ names,
) {
  return names.map((name) => {
    const button = element("button", { type: "button", class: "small" }, phrase(LABELS[name]));
    button.addEventListener("click", () => actions[name](entry));
    return button;
  });
}

export function showFailure(
  /** @type {HTMLElement} */ fate,
  /** @type {Entry} */ entry,
  /** @type {EntryActions} */ actions,
) {
  const code = String(entry.failed);
  const reason = phrase(`refused.${code}` in ENGLISH ? `refused.${code}` : "refused.other");
  const buttons = ways(entry, actions, HOPELESS.includes(code) ? ["edit", "remove"] : ["edit", "retry", "remove"]);
  fate.replaceChildren(element("p", {}, `${phrase("pending.failed")} ${reason}`), ...buttons);
}
