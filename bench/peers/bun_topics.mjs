// The peer on Bun: its own server, each room a topic of its own pub/sub.
import { Rooms } from "./room.mjs";

const [port, folder] = process.argv.slice(2);
const rooms = new Rooms(folder);

function join(socket, room, name) {
  const { welcome, joined, ready } = room.join(socket, name);
  for (const text of welcome) socket.send(text);
  socket.subscribe(room.name);
  server.publish(room.name, joined);
  socket.send(ready);
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch(request, server) {
    const room = rooms.at(new URL(request.url).pathname);
    if (server.upgrade(request, { data: room })) return undefined;
    return new Response("a WebSocket is expected", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: 64 * 1024,
    backpressureLimit: 16 * 1024 * 1024,
    message(socket, text) {
      const room = socket.data;
      const event = JSON.parse(text);
      if (room.roster.has(socket)) server.publish(room.name, room.say(socket, event.message));
      else join(socket, room, event.name || "anonymous");
    },
    close(socket) {
      const notice = socket.data.leave(socket);
      if (notice) server.publish(socket.data.name, notice);
    },
  },
});
