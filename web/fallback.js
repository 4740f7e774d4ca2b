/** When a connection goes on by HTTP. */
import { HttpSocket } from "./http-socket.js";
import { probe } from "./probe.js";
import { apiOfSocket } from "./requests.js";

/** WebSockets in a row that bring nothing, while HTTP works. One alone may be a restart of the server. */
const DEAF = 2;

/**
 * A WebSocket brought nothing. If the room answers by HTTP, this is tried once more at once, and then it goes on by
 * HTTP. `late`: it was silent until its deadline, which a restart is not.
 * @param {import("./connection.js").Connection} connection @param {string | URL} address @param {boolean} late
 */
export async function fallBack(connection, address, late) {
  const found = await probe(apiOfSocket(address));
  connection.deaf = found === "there" ? connection.deaf + (late ? DEAF : 1) : 0;
  const { phase } = connection.phase;
  if (connection.heard || phase === "open" || phase === "stopped") return;
  if (found === "gone" && !connection.joined) connection.stop(404);
  else if (connection.deaf >= DEAF) connection.connect(new HttpSocket(address, () => connection.connect()));
  else if (connection.deaf && phase === "waiting") connection.connect();
}
