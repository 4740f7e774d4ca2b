/**
 * The offline shell: the page and its modules as they were when the server was last reached, so that a reload while it
 * is away still shows the room's outbox. Messages are never kept here. The page itself is asked for first, always.
 */
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const VERSION = "{{version}}";
/** Two chats on one origin keep their shells apart. */
const FAMILY = `edgechat-${new URL(worker.registration.scope).pathname}-`;
const CACHE = FAMILY + VERSION;
/** Patience in ms for the page before the kept one is shown. */
const PATIENCE = 5_000;
const SHELL = [
  "addresses.js", "banner.js", "comings.js", "completion.css", "completion.js", "composer.js", "connection.js",
  "controls.css", "date-pill.js", "dialog.js", "dialogs.css", "dom.js", "embedded.css", "embedded.js",
  "event-stream.js", "failure.css", "failure.js", "fallback.js", "gone.css", "gone.js", "history-window.js",
  "history.js", "http-socket.js", "landing.css", "landing.js", "listed.js", "main.js", "message-list.js",
  "message-row.js", "messages.css", "names.js", "notify.js", "outbox-rows.js", "outbox.js", "pages.js", "people.js",
  "probe.js", "protocol.js", "qr.js", "requests.js", "room.css", "room.js", "roster.js", "scroll.js", "sender.js",
  "session.js", "store.js", "strays.js", "strings-ar.js", "strings-later.js", "strings.js", "text.js", "theme.css",
  "transcript.js", "typing.js", "unread.js", "vendor/qrcode.js",
];

/** The front page and a room's page differ in their base: one of each is kept. */
const FRONT = "./";
const ROOM = "room/shell";

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = request.url.startsWith(worker.registration.scope)
    ? request.url.slice(worker.registration.scope.length)
    : null;
  if (request.method !== "GET" || path === null || path.startsWith("api/")) return;
  if (request.mode === "navigate") event.respondWith(page(request, path));
  else if (path.startsWith("assets/")) event.respondWith(asset(request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([FRONT, ROOM, ...SHELL.map((file) => `assets/${VERSION}/${file}`)]);
  await worker.skipWaiting();
}

/** Pages that are open may still load modules of the version before: it stays until the next one. */
async function activate() {
  const old = (await caches.keys()).filter((key) => key.startsWith(FAMILY) && key !== CACHE);
  await Promise.all(old.slice(0, -1).map((key) => caches.delete(key)));
  await worker.clients.claim();
}

/** The page from the server; the kept one where the server is away, or something in front of it answers for it. */
async function page(/** @type {Request} */ request, /** @type {string} */ path) {
  const room = path.startsWith("room/");
  const kept = async () => (await caches.open(CACHE)).match(new URL(room ? ROOM : FRONT, worker.registration.scope));
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    const ours = room || /^(\?|#|$)/.test(path); // the server itself has no 404 for its pages
    const away = answer.status >= 500 || answer.status === 429 || (answer.status === 404 && ours);
    return (away && (await kept())) || answer;
  } catch {
    return (await kept()) ?? Response.error();
  }
}

async function asset(/** @type {Request} */ request) {
  return (await caches.match(request)) ?? fetch(request);
}
