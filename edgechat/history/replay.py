"""Feeds a history through the rules of a room, and compares the lines that come out."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edgechat import system
from edgechat.chat.apply import apply
from edgechat.chat.commands import Speak
from edgechat.chat.draft import draft
from edgechat.chat.kinds import kind_of
from edgechat.chat.line import DIGEST_BYTES, NOWHERE, Token, parse_line
from edgechat.chat.protocol import say
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.session import Session
from edgechat.chat.state import Opened, RoomState
from edgechat.history.chain_reader import ChainReader
from edgechat.history.header import read_beginning
from edgechat.history.reader import File, all_entries
from edgechat.history.repair import open_file
from edgechat.rooms.limiter import Unlimited
from edgechat.settings import Settings

_KEPT = 20  # differences that are told
_H = len('"0123456789abcdef"}')


class NotAHistory(Exception):
    """There is nothing to replay. Its text says why, for a person."""


class Difference(NamedTuple):
    """A line that the rules would write otherwise; `made` is empty where they refuse it."""

    seq: int
    stored: bytes
    made: bytes


class Replayed(msgspec.Struct):
    """What became of a history's lines."""

    lines: int = 0  # said again
    differ: int = 0  # of those
    differences: list[Difference] = msgspec.field(default_factory=list)  # the first of them
    lost: int = 0  # damaged or missing
    runs: list[tuple[int, int]] = msgspec.field(default_factory=list)  # of those, first and last
    kinds: int = 0  # records of a later kind, for which there are no rules here

    @property
    def is_as_stored(self) -> bool:
        """Whether all of it came out as it is stored."""
        return not (self.differ or self.lost)


def replay(path: Path, progress: Callable[[int], Any]) -> Replayed:
    """Replay one history. After a difference it goes on from what is stored.

    Raises `NotAHistory`, `OSError`.
    """
    fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC | system.O_NONBLOCK)
    try:
        if not stat.S_ISREG(system.fstat(fd).st_mode):
            raise NotAHistory("it is not a file")
        beginning = read_beginning(fd)
        if beginning.refusal:
            raise NotAHistory(beginning.refusal)
        done = _replay(open_file(fd), progress)
    finally:
        system.close(fd)
    if beginning.header is None and not (done.lines or done.kinds):
        raise NotAHistory("there is no line that can be read")
    return done


def _replay(file: File, progress: Callable[[int], Any]) -> Replayed:
    done = Replayed()
    seq, h = file.base or NOWHERE
    reader = ChainReader(seq, bytes.fromhex(h) if file.base else None, newest=1)
    room, proven = _room(Token(seq, h)), file.base is not None
    for entry in all_entries(file, reader):
        progress(len(entry.line or b"") + 1)
        if entry.line is None:
            as_stored, proven = False, entry.h is not None
        elif not kind_of(entry.line).has_rules:
            done.kinds += 1
            as_stored, proven = False, True
        else:
            as_stored, proven = _compare(
                done, entry.seq, entry.line, _say(room, entry.line), proven
            )
        if not as_stored:
            room = _room(Token(entry.seq, (entry.h or bytes(DIGEST_BYTES)).hex()))
    done.lost, done.runs = reader.lost, reader.runs
    return done


def _compare(
    done: Replayed, seq: int, stored: bytes, made: bytes, proven: bool
) -> tuple[bool, bool]:
    """Count a line. Where the `h` before it is not known, its own can't be the same.

    Returns whether the room is where the history is, and whether the `h` is known.
    """
    done.lines += 1
    same = made == stored if proven else made[:-_H] == stored[:-_H] != b""
    if not same:
        done.differ += 1
        if len(done.differences) < _KEPT:
            done.differences.append(Difference(seq, stored, made))
    return same and proven, True


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
