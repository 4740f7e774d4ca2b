/** Rooms and their addresses, all relative to the page's base, so that everything works below any path. */
const PRIVATE = /^[0-9a-f]{64}$/;
const PUBLIC = /^[\p{L}\p{N}\p{M}-]{1,32}$/u;

/** The public room that the typed text names, as the server will name it; null if no room can have that name. */
export function roomNamed(/** @type {string} */ typed) {
  // Lower, upper, lower is case folding: ß, ẞ and ss become the same.
  const folded = typed.trim().normalize("NFKC").toLowerCase().toUpperCase().toLowerCase();
  const name = folded.replace(/[_\s]/gu, "-");
  return PUBLIC.test(name) ? name : null;
}

export const isPrivate = (/** @type {string} */ room) => PRIVATE.test(room);

/** The room that an address opens; null for the landing page. */
export function roomOf(/** @type {string} */ path) {
  const found = /\/room\/([^/]+)\/?$/.exec(path);
  if (!found?.[1]) return null;
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}

export const pageOf = (/** @type {string} */ room) => `room/${encodeURIComponent(room)}`;
export const apiOf = (/** @type {string} */ room, what = "") => `api/room/${encodeURIComponent(room)}${what}`;

/** Where the room's socket is. */
export function socketOf(/** @type {string} */ room, /** @type {string} */ base) {
  const address = new URL(apiOf(room, "/websocket"), base);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
