/** A room that may not exist. Loaded with a link that no public room has. */
import { apiOf } from "./addresses.js";
import { element } from "./dom.js";
import { probe } from "./probe.js";
import { phrase } from "./strings.js";

/** Nobody is asked for a name in a room that does not exist. */
export async function askRoom(/** @type {HTMLFormElement} */ form, /** @type {string} */ room) {
  if ((await probe(apiOf(room))) !== "gone") return;
  form.replaceChildren(element("h2", {}, phrase("room.gone")), element("a", { href: "./" }, phrase("room.home")));
}
