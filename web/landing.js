/** The page at the front: a name, a room, and what this is. */
import { isPrivate, pageOf, roomNamed } from "./addresses.js";
import { copy, element, part } from "./dom.js";
import "./strings-later.js";
import { cleanName, isName } from "./names.js";
import { fill, phrase } from "./strings.js";

/** @typedef {{ identity: import("./store.js").Identity, visit: (page: string) => void }} Landing */

/** How long the server has to make a private room, in ms. */
const PATIENCE = 15_000;

export function showLanding(/** @type {HTMLElement} */ main, /** @type {Landing} */ world) {
  const page = copy("landing");
  fill(page);
  main.replaceChildren(page);
  document.title = `EdgeChat · ${phrase("landing.title")}`;
  const form = part(main, "form", HTMLFormElement);
  const name = part(form, "[name=name]", HTMLInputElement);
  name.value = world.identity.name;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    openPublic(form, world);
  });
  part(form, ".private", HTMLButtonElement).addEventListener("click", () => makePrivate(form, world));
  showRecent(part(main, ".recent", HTMLElement), world);
}

function openPublic(/** @type {HTMLFormElement} */ form, /** @type {Landing} */ world) {
  const field = part(form, "[name=room]", HTMLInputElement);
  const room = roomNamed(field.value);
  complain(form, room ? "" : "error.room", field);
  if (room) enter(form, room, world);
}

async function makePrivate(/** @type {HTMLFormElement} */ form, /** @type {Landing} */ world) {
  try {
    const answer = await fetch("api/room", { method: "POST", signal: AbortSignal.timeout(PATIENCE) });
    const room = (await answer.text()).trim();
    if (!answer.ok || !isPrivate(room)) throw new Error(`room: ${answer.status}`);
    enter(form, room, world);
  } catch {
    complain(form, "error.private");
  }
}

/** Without a name the room's own page asks for it. */
function enter(
  /** @type {HTMLFormElement} */ form,
  /** @type {string} */ room,
  /** @type {Landing} */ { identity, visit },
) {
  const field = part(form, "[name=name]", HTMLInputElement);
  const name = cleanName(field.value);
  if (field.value.trim() && !isName(name)) return complain(form, "error.name", field);
  if (name) identity.name = name;
  visit(pageOf(room));
}

function complain(
  /** @type {HTMLFormElement} */ form,
  /** @type {string} */ key,
  /** @type {HTMLInputElement | null} */ field = null,
) {
  const place = part(form, ".complaint", HTMLElement);
  place.textContent = key && phrase(key);
  field?.setAttribute("aria-invalid", String(Boolean(key)));
  if (key) field?.focus();
}

function showRecent(/** @type {HTMLElement} */ section, /** @type {Landing} */ { identity }) {
  section.hidden = identity.rooms.length === 0;
  const entries = identity.rooms.map((room) => {
    const title = isPrivate(room) ? `${phrase("room.private")} ${room.slice(0, 6)}` : room;
    const forget = element(
      "button",
      { type: "button", class: "quiet icon", "aria-label": phrase("landing.forget", { room: title }) },
      "×",
    );
    const entry = element("li", {}, element("a", { href: pageOf(room), dir: "auto" }, title), forget);
    forget.addEventListener("click", () => {
      identity.forget(room);
      entry.remove();
      section.hidden = identity.rooms.length === 0;
    });
    return entry;
  });
  part(section, "ul", HTMLElement).replaceChildren(...entries);
}
