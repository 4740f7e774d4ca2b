"""Reads the journal. All of it is synchronous: for a worker thread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edgechat import system
from edgechat.chat.line import Damaged, claimed, parse_line
from edgechat.chat.names import RoomKey
from edgechat.history.journal.commits import (
    SegmentHeader,
    place_of,
    unpack,
    unpack_header,
    unpack_record,
)

_NAME = re.compile(r"([0-9]{8,18})\.log")
_HEADER_BYTES = 64 * 1024
_HEADER = b'{"edgechat":'
_FLAGS = system.O_RDONLY | system.O_CLOEXEC | system.O_NOFOLLOW


class Part(NamedTuple):
    """A segment's file, how much of it may be believed (None: all of it), and whose it is."""

    number: int
    path: Path
    end: int | None
    owner: int | None = None

    @property
    def size(self) -> int:
        """In bytes, as far as it may be believed. Raises `OSError`."""
        return system.stat(self.path).st_size if self.end is None else self.end


class JournalLine(NamedTuple):
    """A line of a history, and where in it it belongs."""

    seq: int
    h: bytes
    line: bytes


@dataclass(slots=True)
class Journalled:
    """What the journal has of one room.

    A room writes line 5 only where its file ends with line 4: so whatever came before and had
    another line 5, or a later one, was not in the file any more, as that was replaced.
    """

    header: bytes = b""
    places: list[JournalLine] = field(default_factory=list)
    replaced: list[JournalLine] = field(default_factory=list)
    size: int = 0  # bytes

    def add(self, line: bytes) -> None:
        """Take the next line. Raises `Damaged`."""
        self.size += len(line) + 1
        if line.startswith(_HEADER):  # a new file: nothing of what was before is in it
            self.replaced += self.places
            self.header, self.places = line, []
            return
        seq, h = parse_line(line).seq, claimed(line)
        if h is None:
            raise Damaged("no hash")
        while self.places and self.places[-1].seq >= seq:
            self.replaced.append(self.places.pop())
        self.places.append(JournalLine(seq, h, line))


@dataclass(slots=True)
class Contents:
    """What a journal has, by room; and how many commits or records in it are damaged."""

    rooms: dict[RoomKey, Journalled] = field(default_factory=dict)
    damaged: int = 0

    def add(self, record: bytes) -> None:
        """Take the next record."""
        place = unpack_record(record)
        try:
            if place is None:
                raise Damaged("no record")
            key, line = place
            self.rooms.setdefault(key, Journalled()).add(line)
        except Damaged:
            self.damaged += 1


def parts(folder: Path) -> list[Part]:
    """The journal's files, oldest first. Raises `OSError`."""
    numbers = sorted(_files(folder))
    ends: dict[int, int] = {}
    owners: dict[int, int | None] = {}
    for own, path in numbers:
        if header := _read_header(path):
            ends.update((int(number), end) for number, end in header.before.items())
            owners[own] = header.owner
    return [Part(number, path, ends.get(number), owners.get(number)) for number, path in numbers]


def newest(folder: Path) -> int:
    """The number of the newest file of the journal; 0 without one. Raises `OSError`."""
    return max((number for number, _ in _files(folder)), default=0)


def collect(of: Iterable[Part], only: RoomKey | None = None) -> Contents:
    """All that may be believed, or what there is of one room. Raises `OSError`."""
    contents = Contents()
    wanted = b"" if only is None else place_of(only)
    for part in of:
        bad = 0  # what is damaged at the very end was never synced
        for records in unpack(_read(part)):
            if records is None:
                bad += 1
                continue
            contents.damaged, bad = contents.damaged + bad, 0
            for record in records:
                if record.startswith(wanted):
                    contents.add(record)
    return contents


def _files(folder: Path) -> list[tuple[int, Path]]:
    try:
        with system.scandir(folder) as found:
            names = [_NAME.fullmatch(entry.name) for entry in found]
    except FileNotFoundError:
        return []
    return [(int(name[1]), folder / name[0]) for name in names if name]


def _read_header(path: Path) -> SegmentHeader | None:
    try:
        fd = system.open(path, _FLAGS)
    except FileNotFoundError:  # the server removed it meanwhile
        return None
    try:
        first, _, _ = system.pread(fd, _HEADER_BYTES, 0).partition(b"\n")
    finally:
        system.close(fd)
    return unpack_header(first)


def _read(part: Part) -> bytes:
    """What stands behind the header."""
    try:
        fd = system.open(part.path, _FLAGS)
    except FileNotFoundError:  # somebody removed it
        return b""
    try:
        size = system.fstat(fd).st_size
        end = size if part.end is None else min(part.end, size)
        text = b""
        while len(text) < end and (block := system.pread(fd, end - len(text), len(text))):
            text += block
    finally:
        system.close(fd)
    first, newline, _ = text[:_HEADER_BYTES].partition(b"\n")
    return text[len(first + newline) :] if unpack_header(first) is not None else text
