// The peer on Node and ws: one send for each member. `--sync` as in room.mjs.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Rooms } from "./room.mjs";

const [port, folder, ...options] = process.argv.slice(2);
const rooms = new Rooms(folder, { sync: options.includes("--sync") });

function broadcast(room, text) {
  for (const socket of room.roster.keys()) socket.send(text);
}

function join(socket, room, name) {
  const { welcome, joined, ready } = room.join(socket, name);
  for (const text of welcome) socket.send(text);
  broadcast(room, joined);
  socket.send(ready);
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => {
  const room = rooms.at(request.url);
  socket.on("message", (data) => {
    const event = JSON.parse(data.toString());
    if (room.roster.has(socket)) broadcast(room, room.say(socket, event.message));
    else join(socket, room, event.name || "anonymous");
  });
  socket.on("close", () => {
    const notice = room.leave(socket);
    if (notice) broadcast(room, notice);
  });
  socket.on("error", () => socket.terminate());
});
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
