"""Feeds a history through the rules of a room, and compares the lines that come out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edgechat import system
from edgechat.chat.apply import apply
from edgechat.chat.commands import Speak
from edgechat.chat.draft import draft
from edgechat.chat.line import NOWHERE, Token, parse_line
from edgechat.chat.protocol import say
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.session import Session
from edgechat.chat.state import Opened, RoomState
from edgechat.history.reader import entries_after
from edgechat.history.repair import open_file
from edgechat.rooms.limiter import Unlimited
from edgechat.settings import Settings


class Difference(NamedTuple):
    """A line that the rules would write otherwise. `made` is empty where it is damaged."""

    seq: int
    stored: bytes
    made: bytes


def replay(path: Path, progress: Callable[[int], Any]) -> tuple[int, list[Difference]]:
    """Replay one history. Returns how many lines there are, and those that came out otherwise.

    After a difference it goes on from what is stored. Raises `OSError`.
    """
    fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC)
    try:
        file = open_file(fd)
        room = _room(file.base or NOWHERE)
        count, differences = 0, []
        for entry in entries_after(file, room.base.seq):
            count += 1
            made = b"" if entry.line is None else _say(room, entry.line)
            if made != entry.line:
                differences.append(Difference(entry.seq, entry.line or b"", made))
                room = _room(Token(entry.seq, (entry.h or bytes(8)).hex()))
            progress(len(entry.line or b"") + 1)
        return count, differences
    finally:
        system.close(fd)


def _room(head: Token) -> RoomState:
    room = RoomState("replay", Settings(), Opened(head, head, 0, exists=True, backlog=()))
    room.seen_ids = SeenIds(Settings().known_ids, {})
    return room


def _say(room: RoomState, line: bytes) -> bytes:
    """Say again what a line says; returns the line that the room makes of it."""
    said = parse_line(line)
    session = Session(Unlimited(), Settings())
    session.introduce(said.name, v2=True)
    commands = [Speak(session, say(said.message, said.id))]
    drafted = draft(room, commands, [0.0], {}, said.timestamp)
    apply(room, drafted, 0.0)
    return drafted.lines[0] if drafted.lines else b""
