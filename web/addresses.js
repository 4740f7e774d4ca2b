/** Rooms and their addresses, relative to the page's base: it may lie below any path. */
const PRIVATE = /^[0-9a-f]{64}$/;
const PUBLIC = /^(?!\p{DI}+$)[\p{L}\p{Nd}\p{M}-]{1,32}$/u;
const JOINERS = /[\u200c\u200d]/g;
/** What stands within words. */
const SEPARATORS = /[_\s'’·‐‧֊׳״་゠・]/gu;

/** The server's name of the public room that was typed; null if no room can have it. */
export function roomNamed(/** @type {string} */ typed) {
  // this is case folding: ß, ẞ and ss become the same
  const folded = typed.trim().normalize("NFKC").toLowerCase().toUpperCase().toLowerCase();
  const name = folded.replace(/ς/g, "σ").replace(JOINERS, "").normalize("NFKC").replace(SEPARATORS, "-");
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

export function socketOf(/** @type {string} */ room, /** @type {string} */ base) {
  const address = new URL(apiOf(room, "/websocket"), base);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
