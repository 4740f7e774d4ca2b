"""What every Python peer shares: the rules of a room and its history file, and no networking.

The demo's protocol: hello, roster, backlog, own `joined`, `ready`, messages, `quit`. A message is
encoded once, written to the room's file with one `write`, and only then sent: the same durability
as EdgeChat's default. There is no hash, no idempotency, no resume and no limit.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

BACKLOG = 100
Member = TypeVar("Member")


def encoded(event: dict[str, object]) -> bytes:
    """An event as the payload of a frame."""
    return msgspec.json.encode(event)


class History(Protocol):
    """Where a room's messages are stored."""

    def last(self) -> tuple[int, list[bytes]]:
        """How many lines there are, and the last 100 of them."""

    def append(self, seq: int, line: bytes) -> None:
        """Store one more line."""


OpenHistory = Callable[[str], History]


class FileHistory:
    """A file, each line of it written with one `write`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)

    def last(self) -> tuple[int, list[bytes]]:
        """Read all of it."""
        count, lines = 0, deque[bytes](maxlen=BACKLOG)
        with open(self._file, "rb", closefd=False) as file:
            for line in file:
                lines.append(line.rstrip(b"\n"))
                count += 1
        return count, list(lines)

    def append(self, seq: int, line: bytes) -> None:
        """Write it at the end."""
        os.write(self._file, line + b"\n")


def in_files(folder: Path) -> OpenHistory:
    """A file for each room."""
    return lambda room: FileHistory(folder / f"{room}.jsonl")


class Room(Generic[Member]):
    """Who is in a room, and what was sent there."""

    def __init__(self, name: str, history: History) -> None:
        self.name = name
        self.roster: dict[Member, str] = {}
        self._history = history
        self.seq, lines = history.last()
        self.backlog = deque(lines, BACKLOG)
        self.last_stamp = msgspec.json.decode(lines[-1])["timestamp"] if lines else 0

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
        self._history.append(self.seq, line)
        self.backlog.append(line)
        return line


class Rooms(Generic[Member]):
    """All rooms, each opened when somebody first comes."""

    def __init__(self, open_history: OpenHistory) -> None:
        self._open_history = open_history
        self._rooms: dict[str, Room[Member]] = {}

    def at(self, path: str) -> Room[Member]:
        """The room of a request's path, /api/room/<name>/websocket."""
        name = path.split("/")[3]
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self._open_history(name))
        return room
