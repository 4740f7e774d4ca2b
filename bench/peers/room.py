"""What every Python peer shares: the rules of a room and its history file, and no networking.

The demo's protocol: hello, roster, backlog, own `joined`, `ready`, messages, `quit`. A message is
encoded once, written to the room's file with one `write`, and only then sent: the same durability
as EdgeChat's default. There is no hash, no idempotency, no resume and no limit.
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

BACKLOG = 100
Member = TypeVar("Member")


def encoded(event: dict[str, object]) -> bytes:
    """An event as the payload of a frame."""
    return msgspec.json.encode(event)


class Room(Generic[Member]):
    """Who is in a room, and what was said there."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.roster: dict[Member, str] = {}
        self.backlog: deque[bytes] = deque(maxlen=BACKLOG)
        self.seq = self.last_stamp = 0
        path = folder / f"{name}.jsonl"
        if path.exists():
            self._load(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def _load(self, path: Path) -> None:
        with path.open("rb") as lines:
            for line in lines:
                self.backlog.append(line.rstrip(b"\n"))
                self.seq += 1
        if self.backlog:
            self.last_stamp = msgspec.json.decode(self.backlog[-1])["timestamp"]

    def join(self, member: Member, name: str) -> tuple[list[bytes], bytes, bytes]:
        """Enter. Returns the frames for the newcomer, the notice for all, and `ready`."""
        welcome = [encoded({"joined": other}) for other in self.roster.values()]
        welcome.extend(self.backlog)
        self.roster[member] = name
        ready = encoded({"ready": True, "room": self.name, "seq": self.seq,
                         "members": len(self.roster)})  # fmt: skip
        return welcome, encoded({"joined": name}), ready

    def leave(self, member: Member) -> bytes | None:
        """Go. Returns the notice for all; None if the member was not there."""
        name = self.roster.pop(member, None)
        return None if name is None else encoded({"quit": name})

    def say(self, member: Member, message: str) -> bytes:
        """Store a message. Returns the line for all."""
        self.seq += 1
        self.last_stamp = max(time.time_ns() // 1_000_000, self.last_stamp + 1)
        line = encoded({"seq": self.seq, "timestamp": self.last_stamp,
                        "name": self.roster[member], "message": message})  # fmt: skip
        os.write(self._file, line + b"\n")
        self.backlog.append(line)
        return line


class Rooms(Generic[Member]):
    """All rooms, each opened when somebody first comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rooms: dict[str, Room[Member]] = {}

    def at(self, path: str) -> Room[Member]:
        """The room of a request's path, /api/room/<name>/websocket."""
        name = path.split("/")[3]
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self._folder)
        return room
