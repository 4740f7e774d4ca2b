"""Puts back what a power loss took out of a history and the journal still has. Synchronous.

A line is appended where the file lacks it and it continues the file's chain. What does not
continue it, as the file was replaced, restored or removed since, is put aside in a file of its own
beside it, and said. So nothing is ever forced, and doing it again changes nothing: it may be cut
short anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import chain
from edgechat.chat.names import RoomKey
from edgechat.history import repair
from edgechat.history.header import Header, refuse_strange
from edgechat.history.journal.aside import put_aside
from edgechat.history.journal.contents import Journalled, JournalLine
from edgechat.history.reader import File, entries_after, read_tail

log = logging.getLogger(__name__)

_FLAGS = system.O_RDWR | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW
_TAIL = 64 * 1024
_NEWEST = 100  # lines


class Recovered(NamedTuple):
    """How many lines were put back, and how many put aside."""

    lines: int = 0
    aside: int = 0


def recover_room(path: Path, key: RoomKey, journalled: Journalled, most: int) -> Recovered:
    """Bring one history up to what the journal has, and make it last, but for its folder.

    Of a torn last line at most `most` bytes are cut off. Raises `OSError`.
    """
    try:
        fd = system.open(path, _FLAGS)
    except FileNotFoundError:  # its name was made to last before a line of it was shown
        return Recovered(0, put_aside(path, key, [*journalled.replaced, *journalled.places]))
    try:
        let_go_of_memory(fd)
        try:
            is_cut = _cut_holes(fd, path, key, journalled, most)
            refuse_strange(fd, key.name)
            done = repair.mend(fd, path, most)
        except StorageUnavailable as error:  # no room goes on with this file
            log.error("The history of %s can't be gone on with: %s", key, error)
            return Recovered(0, put_aside(path, key, [*journalled.replaced, *journalled.places]))
        for what in done:
            log.warning("In the history of %s %s.", key, what)
        new, other = _sort(fd, journalled)
        _append(fd, new)
        if new or done or is_cut:
            system.fsync(fd)
        new_lines = sum(not line.startswith(b'{"edgechat":') for line in new)
        return Recovered(new_lines, put_aside(path, key, other))
    finally:
        system.close(fd)


def let_go_of_memory(fd: int) -> None:
    """What an `fsync` failed to write can still be read, while the next `fsync` succeeds."""
    system.fsync(fd)
    system.posix_fadvise(fd, 0, 0, system.POSIX_FADV_DONTNEED)


def _sort(fd: int, journalled: Journalled) -> tuple[list[bytes], list[JournalLine]]:
    """What is to be appended, and what the file neither has nor goes on with."""
    file = repair.open_file(fd)
    new: list[bytes] = []
    seq: int
    h: bytes | None
    if not file.end and journalled.header:  # its name was made, and nothing else
        new.append(journalled.header)
        base = msgspec.json.decode(journalled.header, type=Header).base
        seq, h = base.seq, bytes.fromhex(base.h)
        there: set[bytes] = set()
    else:
        seq, h = _head(file)
        there = _lines(file, journalled)
    other = [place for place in journalled.replaced if place.line not in there]
    for place in journalled.places:
        if place.line in there:
            continue
        if place.seq == seq + 1 and h is not None and chain(h, place.line) == place.h:
            new.append(place.line)
            seq, h = place.seq, place.h
        else:
            other.append(place)
    return new, other


def _head(file: File) -> tuple[int, bytes | None]:
    reader, _ = read_tail(file, _NEWEST, _TAIL)
    return reader.seq, reader.h


def _lines(file: File, journalled: Journalled) -> set[bytes]:
    """The file's lines, from the first that the journal has."""
    seqs = [place.seq for place in (*journalled.replaced, *journalled.places)]
    if not file.end or not seqs:
        return set()
    return {entry.line for entry in entries_after(file, min(seqs) - 1) if entry.line is not None}


def _cut_holes(fd: int, path: Path, key: RoomKey, journalled: Journalled, most: int) -> bool:
    """Cut a file off at zeros, if the journal has what belongs there.

    A later part of a file may have reached the disk while an earlier one did not: that reads as
    zeros, which no line has. All that was not synced is in the journal.
    """
    file = repair.open_file(fd)
    size = system.fstat(fd).st_size
    start = max(0, size - journalled.size - most)
    data = system.pread(fd, size - start, start)
    hole = data.find(b"\0")
    if hole < 0 or repair.has_utf16(fd, size):
        return False
    newline = data.rfind(b"\n", 0, hole)
    cut = start + newline + 1
    if (newline < 0 and start) or not _goes_on(fd, cut, file, journalled):
        return False
    log.warning("In the history of %s a hole was cut off: the journal has its lines.", key)
    repair.keep(fd, cut, size, path)
    system.ftruncate(fd, cut)
    return True


def _goes_on(fd: int, cut: int, file: File, journalled: Journalled) -> bool:
    """Whether the journal has the line after those before `cut`."""
    if not cut:
        return bool(journalled.header)
    seq, h = _head(File(fd, file.start, cut, file.base))
    return any(
        place.seq == seq + 1 and h is not None and chain(h, place.line) == place.h
        for place in journalled.places
    )


def _append(fd: int, lines: Sequence[bytes]) -> None:
    if lines:
        data = b"\n".join(lines) + b"\n"
        if system.write(fd, data) < len(data):
            raise OSError("the disk took only a part of it")
