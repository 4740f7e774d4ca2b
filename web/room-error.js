/** What the JavaScript client fails with. */

/** What ended a room, or why it could not be joined. `code` is for programs. */
export class RoomError extends Error {
  constructor(/** @type {string} */ code, /** @type {string} */ text) {
    super(`${code}: ${text}`);
    this.name = new.target.name;
    this.code = code;
    this.text = text;
  }
}

/** A message that was refused: nothing of it was stored or shown to anyone. */
export class Refused extends RoomError {}

/** What ended a room, where the server closed it for good. @param {number} code @param {Refusal | null} refusal */
export function endedBy(code, refusal) {
  if (code === 404) return new RoomError("not_found", "There is no such room.");
  if (refusal) return new RoomError(refusal.code, refusal.text);
  return new RoomError("closed", `The server closed the connection (${code}) and does not want it back.`);
}
