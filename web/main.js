/** Starts the page: language, then the room of the address, or the front page. */
import { isPrivate, roomNamed, roomOf } from "./addresses.js";
import { addStyles, element, part } from "./dom.js";
import { Identity, Store, openStorage } from "./store.js";
import { fill, phrase, setLanguage } from "./strings.js";

const base = new URL(document.baseURI).pathname;
const store = new Store(base);
const tab = new Store(base, openStorage("sessionStorage"));
const identity = new Identity(tab, store);
const query = new URLSearchParams(location.search);

async function start() {
  if (query.get("embed") === "1") (await import("./embedded.js")).prepare(query, tab);
  const wanted = query.get("lang");
  await setLanguage(wanted ? [wanted] : navigator.languages);
  fill(document);
  const main = part(document, "main", HTMLElement);
  const typed = roomOf(location.pathname);
  if (typed === null) {
    const [{ showLanding }] = await Promise.all([import("./landing.js"), addStyles("landing.css")]);
    showLanding(main, { identity, visit: (page) => location.assign(page) });
  } else {
    const { openRoom } = await import("./room.js");
    openRoom(main, { room: isPrivate(typed) ? typed : (roomNamed(typed) ?? typed), identity, store, tab });
  }
}

/** The offline shell; the page works without it. */
function install() {
  if (!("serviceWorker" in navigator)) return;
  const types = /** @type {any} */ (window).trustedTypes;
  const policy = types?.createPolicy("edgechat-sw", { createScriptURL: (/** @type {string} */ path) => path });
  const script = new URL("sw.js", document.baseURI).href;
  navigator.serviceWorker.register(policy ? policy.createScriptURL(script) : script).catch(() => {});
}

/** Say that something failed; the error still reaches the console. */
function failed() {
  if (document.querySelector(".broken")) return;
  const reload = element("button", { type: "button", class: "small" }, phrase("page.reload"));
  reload.addEventListener("click", () => location.reload());
  document.body.append(element("p", { class: "broken", role: "alert" }, phrase("page.failed"), reload));
}

window.addEventListener("unhandledrejection", failed);
window.addEventListener("error", ({ error }) => error && failed());
await start();
install();
