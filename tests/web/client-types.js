/** For tsc only: a program that uses the client by its published types. */
import { Refused, RoomError, open } from "../../web/client.js";

/** @returns {Promise<import("../../web/client.js").Token | null>} */
export async function program() {
  const since = { seq: 1, h: "00" };
  const room = await open("https://chat.example/room/lobby", "ada", { storage: localStorage, since });
  for await (const { seq, live } of room.history({ q: "order", limit: 10, before: 99 })) console.log(seq, live);
  const { seq } = await room.say("hello", { id: "order-7" });
  try {
    for await (const event of room) {
      if (event.kind === "line" && event.live && !event.mine) console.log(event.name, event.message, event.seq > seq);
      if (event.kind === "ready") console.log(event.names.join(), event.limits.message_chars);
    }
  } catch (error) {
    if (error instanceof Refused || error instanceof RoomError) console.log(error.code, error.text);
  }
  // @ts-expect-error there is no such option
  await open("https://chat.example/room/lobby", "ada", { sinse: null });
  return room.token;
}
