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
