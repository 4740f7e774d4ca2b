/**
 * Puts a room into a page of another site:
 * `<script type="module" src="…/embed.js" data-room="lobby"></script>`, and a frame takes its place.
 * `data-name`: the visitor's name. `data-theme`: light or dark; else as the visitor's system is. `data-height`: a CSS
 * length. `data-label`: the words of the link that is shown instead where the server does not allow this site.
 */
const SITES = "{{sites}}".split(" ").filter(Boolean);
/** The weakest rules there are: the site's own for `.edgechat` go first. */
const STYLE = ":where(iframe.edgechat) { inline-size: 100%; block-size: 30rem; border: 0; }";

/** All pages around the frame have to be allowed; not every browser tells of those around this one. */
function allowed() {
  const sites = new Set(SITES.map((site) => new URL(site).origin));
  return [location.origin, ...(location.ancestorOrigins ?? [])].every((origin) => sites.has(origin));
}

function frame(/** @type {string} */ room, /** @type {DOMStringMap} */ { name, theme, height }) {
  const made = document.createElement("iframe");
  const address = new URL(`room/${encodeURIComponent(room)}?embed=1`, import.meta.url);
  if (name) address.searchParams.set("name", name);
  if (theme) address.searchParams.set("theme", theme);
  made.src = address.href;
  made.title = `Chat: ${room}`;
  made.referrerPolicy = "no-referrer";
  if (height) made.style.blockSize = height;
  return made;
}

function link(/** @type {string} */ room, /** @type {DOMStringMap} */ { label = "Open the chat" }) {
  const made = document.createElement("a");
  made.href = new URL(`room/${encodeURIComponent(room)}`, import.meta.url).href;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  made.textContent = label;
  return made;
}

/** A module runs once, however many elements name it. */
for (const script of document.querySelectorAll("script[data-room]")) {
  if (!(script instanceof HTMLScriptElement) || script.src !== import.meta.url) continue;
  const { room = "" } = script.dataset;
  const made = allowed() ? frame(room, script.dataset) : link(room, script.dataset);
  made.className = "edgechat";
  script.replaceWith(made);
}
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
document.adoptedStyleSheets.push(sheet);
