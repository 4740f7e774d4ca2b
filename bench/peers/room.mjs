// What the peers in JavaScript share: the rules of a room and its history file, and no networking.
// The same as the Python peers have (room.py). With `sync`, each message is on the disk
// (fdatasync) before anybody gets it.
import { existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const BACKLOG = 100;

class Room {
  constructor(name, folder, sync) {
    this.name = name;
    this.roster = new Map();
    const path = join(folder, `${name}.jsonl`);
    const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
    this.backlog = lines.slice(-BACKLOG);
    this.seq = lines.length;
    this.lastStamp = lines.length ? JSON.parse(lines.at(-1)).timestamp : 0;
    this.file = openSync(path, "a");
    this.sync = sync;
  }

  // Enter. Returns the frames for the newcomer, the notice for all, and `ready`.
  join(member, name) {
    const roster = [...this.roster.values()].map((other) => JSON.stringify({ joined: other }));
    const welcome = [...roster, ...this.backlog];
    this.roster.set(member, name);
    const members = this.roster.size;
    const ready = JSON.stringify({ ready: true, room: this.name, seq: this.seq, members });
    return { welcome, joined: JSON.stringify({ joined: name }), ready };
  }

  // Store a message. Returns the line for all.
  say(member, message) {
    this.lastStamp = Math.max(Date.now(), this.lastStamp + 1);
    const name = this.roster.get(member);
    const line = JSON.stringify({ seq: ++this.seq, timestamp: this.lastStamp, name, message });
    writeSync(this.file, `${line}\n`);
    if (this.sync) fdatasyncSync(this.file);
    this.backlog.push(line);
    if (this.backlog.length > BACKLOG) this.backlog.shift();
    return line;
  }

  // Go. Returns the notice for all; undefined if the member was not there.
  leave(member) {
    const name = this.roster.get(member);
    return this.roster.delete(member) ? JSON.stringify({ quit: name }) : undefined;
  }
}

export class Rooms {
  constructor(folder, { sync = false } = {}) {
    this.folder = folder;
    this.sync = sync;
    this.rooms = new Map();
  }

  // The room of a request's path, /api/room/<name>/websocket.
  at(path) {
    const name = path.split("/")[3];
    if (!this.rooms.has(name)) this.rooms.set(name, new Room(name, this.folder, this.sync));
    return this.rooms.get(name);
  }
}
