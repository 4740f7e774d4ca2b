/** The page's dialogs: a template each, opened on demand, gone when closed. */
import { isPrivate } from "./addresses.js";
import { addStyles, copy, part } from "./dom.js";
import "./strings-later.js";
import { cleanName, isName } from "./names.js";
import { fill, phrase } from "./strings.js";

/** Open a copy of the template `id` as a modal dialog. @returns {HTMLDialogElement} */
function openDialog(/** @type {string} */ id, /** @type {Record<string, string>} */ values = {}) {
  const fragment = copy(id);
  fill(fragment, values);
  const dialog = part(fragment, "dialog", HTMLDialogElement);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  let pressedOutside = false; // not so when a selection in a field ends out there
  dialog.addEventListener("pointerdown", (event) => (pressedOutside = isOutside(dialog, event)));
  dialog.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-close]") : null;
    if (button || (pressedOutside && isOutside(dialog, event))) dialog.close();
  });
  dialog.showModal();
  return dialog;
}

/** @typedef {{ people: import("./people.js").People, rename: (name: string) => void }} Parts */

/** @type {Promise<unknown> | null} */ let styled = null;

/** Open a dialog of a room: people, share, settings or help. */
export async function open(
  /** @type {string} */ name,
  /** @type {Here} */ { identity, room, store },
  /** @type {Parts} */ parts,
) {
  await (styled ??= addStyles("dialogs.css"));
  if (document.querySelector("dialog")) return; // asked for twice, while it was loaded
  if (name === "people") parts.people.drawIn(part(openDialog("people"), "ul", HTMLElement));
  else if (name === "share") openShare(location.origin + location.pathname, isPrivate(room));
  else if (name === "settings") openSettings(identity.name, store, parts.rename);
  else openDialog("help");
}

/** Name, notifications, sound. `rename` gets the new name. */
function openSettings(
  /** @type {string} */ name,
  /** @type {Store} */ store,
  /** @type {(name: string) => void} */ rename,
) {
  const dialog = openDialog("settings");
  const [field, notify, sound] = [...dialog.querySelectorAll("input")];
  if (!field || !notify || !sound) return;
  field.value = name;
  notify.checked = store.get("notify") === true;
  sound.checked = store.get("sound") === true;
  notify.addEventListener("change", async () => {
    const allowed =
      notify.checked && "Notification" in window && (await Notification.requestPermission()) === "granted";
    part(dialog, ".denied", HTMLElement).hidden = allowed || !notify.checked;
    notify.checked = allowed;
    store.set("notify", allowed);
  });
  sound.addEventListener("change", () => store.set("sound", sound.checked));
  part(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = cleanName(field.value);
    if (isName(chosen)) {
      dialog.close();
      if (chosen !== name) rename(chosen);
    } else part(dialog, ".complaint", HTMLElement).textContent = phrase("error.name");
  });
}

/** The link of a room to copy, and for a private one its QR code. */
async function openShare(/** @type {string} */ address, /** @type {boolean} */ secret) {
  const dialog = openDialog("share");
  const [field, button] = [part(dialog, "input", HTMLInputElement), part(dialog, ".copy", HTMLButtonElement)];
  part(dialog, ".hint", HTMLElement).textContent = phrase(secret ? "share.private" : "share.public");
  field.value = address;
  button.addEventListener("click", async () => {
    field.select();
    button.textContent = phrase((await copied(address)) ? "share.copied" : "share.select");
  });
  const module = await import("./qr.js").catch(() => null); // offline: the link is there without it
  if (module) part(dialog, ".qr", HTMLElement).replaceChildren(module.qrCode(address, phrase("share.qr")));
}

/** The backdrop is part of the dialog to a click, and so is its padding: only the place tells them apart. */
function isOutside(/** @type {Element} */ dialog, /** @type {MouseEvent} */ { clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

/** Plain http has no clipboard; there the old way copies what is selected. */
async function copied(/** @type {string} */ text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
