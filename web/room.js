/** A room's page: its frame, the question for a name, and then the session. */
import { isPrivate, roomNamed } from "./addresses.js";
import { copy, part } from "./dom.js";
import { cleanName, isName } from "./names.js";
import { Session } from "./session.js";
import { fill, phrase } from "./strings.js";

/** `complaint` is the key of the words that say why a name was refused. */
export function openRoom(/** @type {HTMLElement} */ main, /** @type {World} */ world, complaint = "") {
  const title = isPrivate(world.room) ? phrase("room.private") : world.room;
  const page = copy("room");
  fill(page, { room: title });
  part(page, "h1 bdi", HTMLElement).textContent = title;
  main.replaceChildren(page);
  document.title = `${title} · EdgeChat`;
  if (world.identity.name && !complaint) join(main, world, title);
  else askName(main, world, title, complaint);
}

function join(/** @type {HTMLElement} */ main, /** @type {World} */ world, /** @type {string} */ title) {
  part(main, ".join", HTMLElement).remove();
  for (const hidden of main.querySelectorAll("[data-joined]")) hidden.removeAttribute("hidden");
  const session = new Session(main, { ...world, title }, (complaint) => {
    session.stop();
    openRoom(main, world, complaint);
  });
  session.start();
}

function askName(
  /** @type {HTMLElement} */ main,
  /** @type {World} */ world,
  /** @type {string} */ title,
  /** @type {string} */ complaint,
) {
  const form = part(main, ".join form", HTMLFormElement);
  const field = part(form, "input", HTMLInputElement);
  const say = (/** @type {string} */ key) => {
    part(form, ".complaint", HTMLElement).textContent = key && phrase(key);
    field.setAttribute("aria-invalid", String(Boolean(key)));
    field.focus();
  };
  field.value = world.identity.name;
  if (isPrivate(world.room) || !roomNamed(world.room))
    import("./gone.js").then(
      ({ askRoom }) => askRoom(form, world.room),
      () => {},
    );
  say(complaint);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = cleanName(field.value);
    if (!isName(name)) return say("error.name");
    world.identity.name = name;
    join(main, world, title);
  });
}
