/** Text frames to events and back, and what each code means. The contract is docs/protocol.md. */

const UNKNOWN = /** @type {const} */ ({ kind: "unknown" });
const LIMITS = { message_chars: 2000, name_chars: 32, interval_ms: 1000, grace_ms: 10_000 };

/**
 * Parses a text frame. What is not understood is "unknown": a newer server may send more.
 * @returns {ServerEvent}
 */
export function read(/** @type {string} */ frame) {
  let said;
  try {
    said = JSON.parse(frame);
  } catch {
    return UNKNOWN;
  }
  if (typeof said !== "object" || said === null) return UNKNOWN;
  if (typeof said.seq === "number" && said.ready === undefined) return stored(said);
  if (said.ready) return ready(said);
  if (typeof said.joined === "string") return { kind: "joined", name: said.joined };
  if (typeof said.quit === "string") return { kind: "quit", name: said.quit };
  if (typeof said.members === "number")
    return { kind: "members", count: said.members, names: said.roster ? strings(said.roster) : null };
  if (said.typing) return { kind: "typing", names: strings(said.typing) };
  if (typeof said.error === "string") return refusal(said);
  return said.pong === undefined ? UNKNOWN : { kind: "pong" };
}

/** @returns {string[]} */
const strings = (/** @type {unknown} */ list) =>
  Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];

/** @returns {ServerEvent} */
function stored(/** @type {any} */ said) {
  if (said.kind === "lost") return { kind: "lost", seq: said.seq };
  if (typeof said.message !== "string") return { kind: "record", seq: said.seq, h: String(said.h) };
  const { seq, h, timestamp, name, message, id = null } = said;
  return { kind: "line", seq, h: String(h), timestamp: time(timestamp), name: String(name), message, id };
}

/** A time that `Date` accepts: others would throw when the row is drawn. */
const time = (/** @type {unknown} */ ms) => (Math.abs(Number(ms)) <= 8.64e15 ? Number(ms) : 0);

/** @returns {Ready} */
function ready(/** @type {any} */ said) {
  const { seq = 0, h = "0".repeat(16), members = 1, recovered = null, reason = null, limits, web = null } = said;
  return { kind: "ready", seq, h, members, recovered, reason, limits: { ...LIMITS, ...limits }, web };
}

/** @returns {Refusal} */
function refusal(/** @type {any} */ said) {
  return {
    kind: "error",
    text: said.error,
    code: String(said.code ?? ""),
    id: said.id ?? null,
    retryAfter: Number(said.retry_after_ms ?? 0),
  };
}

export function hello(/** @type {string} */ name, /** @type {Token | null} */ since, backlog = 100) {
  return JSON.stringify(since ? { name, v: 2, backlog, since } : { name, v: 2, backlog });
}

export const say = (/** @type {string} */ message, /** @type {string} */ id) => JSON.stringify({ message, id });
export const typing = () => '{"typing":true}';
export const ping = (/** @type {number} */ number) => JSON.stringify({ ping: number });

/**
 * May a client come back after this close? "later" means: not within the next seconds.
 * @returns {"soon" | "later" | "never"}
 */
export function afterClose(/** @type {number} */ code) {
  switch (code) {
    case 1002: // not WebSocket
    case 1003: // a binary frame
    case 1007: // not UTF-8
    case 1008: // protocol abuse, origin refused
    case 1009: // frame or name too large
      return "never";
    case 1013: // too many connections
      return "later";
    default: // 1006, 1011, 1012, 4008 slow, 4408 silent, and whatever comes
      return "soon";
  }
}

/** What becomes of a message that was refused with this code. @returns {"wait" | "failed" | "delivered"} */
export function afterRefusal(/** @type {string} */ code) {
  switch (code) {
    case "rate_limited":
    case "storage_unavailable":
    case "unavailable":
      return "wait";
    case "id_conflict": // ids are 128 random bits: the one line with this id is ours, said under the name we had before
      return "delivered";
    default:
      return "failed";
  }
}
