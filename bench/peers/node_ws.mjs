// The peer on Node and ws: the same rooms, backlog and history file as the Python peers (room.py).
import { createServer } from "node:http";
import { existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { WebSocketServer } from "ws";

const BACKLOG = 100;
const [port, folder] = process.argv.slice(2);
const rooms = new Map();

class Room {
  constructor(name) {
    this.name = name;
    this.roster = new Map();
    const path = join(folder, `${name}.jsonl`);
    const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
    this.backlog = lines.slice(-BACKLOG);
    this.seq = lines.length;
    this.lastStamp = lines.length ? JSON.parse(lines.at(-1)).timestamp : 0;
    this.file = openSync(path, "a");
  }

  tellAll(text) {
    for (const socket of this.roster.keys()) socket.send(text);
  }

  join(socket, name) {
    for (const other of this.roster.values()) socket.send(JSON.stringify({ joined: other }));
    for (const line of this.backlog) socket.send(line);
    this.roster.set(socket, name);
    this.tellAll(JSON.stringify({ joined: name }));
    const members = this.roster.size;
    socket.send(JSON.stringify({ ready: true, room: this.name, seq: this.seq, members }));
  }

  say(socket, message) {
    this.lastStamp = Math.max(Date.now(), this.lastStamp + 1);
    const name = this.roster.get(socket);
    const line = JSON.stringify({ seq: ++this.seq, timestamp: this.lastStamp, name, message });
    writeSync(this.file, `${line}\n`);
    this.backlog.push(line);
    if (this.backlog.length > BACKLOG) this.backlog.shift();
    this.tellAll(line);
  }

  leave(socket) {
    const name = this.roster.get(socket);
    if (this.roster.delete(socket)) this.tellAll(JSON.stringify({ quit: name }));
  }
}

function roomAt(url) {
  const name = url.split("/")[3];
  if (!rooms.has(name)) rooms.set(name, new Room(name));
  return rooms.get(name);
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => {
  const room = roomAt(request.url);
  socket.on("message", (data) => {
    const event = JSON.parse(data.toString());
    if (room.roster.has(socket)) room.say(socket, event.message);
    else room.join(socket, event.name || "anonymous");
  });
  socket.on("close", () => room.leave(socket));
  socket.on("error", () => socket.terminate());
});
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
