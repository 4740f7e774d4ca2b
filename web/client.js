/** The JavaScript client, under an address that stays. Its modules have the version in theirs. */
export { open, Refused, RoomError } from "./assets/{{version}}/room-client.js";
