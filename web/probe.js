/** Whether there is a room: a browser does not say why a WebSocket was refused, the room's HTTP address does. */
const PATIENCE = 10_000;

/** "gone" only by EdgeChat's own answer: a gateway's 404 while the server is replaced says nothing about the room. */
export async function probe(/** @type {string | URL} */ api) {
  try {
    const answer = await fetch(api, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) return typeof (await answer.json()).seq === "number" ? "there" : "away";
    return answer.status === 404 && (await answer.json()).code === "not_found" ? "gone" : "away";
  } catch {
    return "away";
  }
}
