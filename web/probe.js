/** Why a room's socket was refused: a browser does not say it, the room's HTTP address does. */
import { apiOf } from "./addresses.js";

const PATIENCE = 10_000;

/** "gone" only by EdgeChat's own answer: a gateway's 404 while the server is replaced says nothing about the room. */
export async function probe(/** @type {string} */ room) {
  try {
    const answer = await fetch(apiOf(room), { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) return "there";
    return answer.status === 404 && (await answer.json()).code === "not_found" ? "gone" : "away";
  } catch {
    return "away";
  }
}
