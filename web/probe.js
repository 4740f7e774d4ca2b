/** Why a room's socket was refused: a browser does not say it, the room's HTTP address does. */
import { apiOf } from "./addresses.js";

/** @returns {Promise<"there" | "gone" | "away">} */
export async function probe(/** @type {string} */ room) {
  const answer = await fetch(apiOf(room)).catch(() => null);
  if (answer?.status === 404) return "gone";
  return answer?.ok ? "there" : "away";
}
