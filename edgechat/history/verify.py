"""Checks a history file: its chain, its sequence, its ends. It changes nothing.

Memory is bounded whatever is in the file, and it waits for nothing but the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgechat import system
from edgechat.history import order
from edgechat.history.chain_reader import ChainReader
from edgechat.history.header import read_beginning
from edgechat.history.journal.view import JournalView, key_of
from edgechat.history.reader import File, read_through
from edgechat.history.records import lines
from edgechat.history.regular_file import open_regular
from edgechat.history.repair import find_end, has_utf16, is_begun, longest_write
from edgechat.settings import Settings

_EVERY = 4_096  # lines between two words about progress
_SHOWN = 20  # runs of lost lines named in a report


class Report(msgspec.Struct):
    """What was found in one file."""

    room: str
    lines: int = 0  # whole, and in their place
    bytes: int = 0
    lost: int = 0  # lines that are missing or damaged
    runs: list[tuple[int, int]] = msgspec.field(default_factory=list)  # of those, first and last
    unprovable: int = 0  # lines that are whole, and follow damage that hides their `h`
    repeated: int = 0  # lines that stand there again, or are of another history
    reframed: int = 0  # lines that something else than a newline ends: no damage
    damaged_header: bool = False
    journalled: int = 0  # lines that go on from there and are in the journal only: no damage
    torn_bytes: int = 0  # at the very end: cut off at the next start, and no damage
    refusal: str = ""  # why the room can't be opened
    stray: str = ""  # why no room reads it: it was not looked into
    error: str = ""

    @property
    def is_damaged(self) -> bool:
        """Whether anything is wrong that a start will not mend."""
        counted = self.lost or self.unprovable or self.repeated
        return bool(counted or self.damaged_header or self.refusal or self.error)

    @property
    def notes(self) -> bool:
        """Whether anything is worth a word that is no damage."""
        return bool(self.reframed or self.journalled or self.torn_bytes)

    def __str__(self) -> str:
        """For a person, in one line."""
        if self.stray:
            return f"{self.room}: no room reads this file: {self.stray}"
        if self.error:
            return f"{self.room}: {self.error}"
        words = [f"{self.lines} lines"]
        if self.refusal:
            words = [f"the room can't be opened: {self.refusal}"]
        if self.damaged_header:
            words.append("the header is damaged")
        if self.lost:
            seqs = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in self.runs[:_SHOWN])
            words.append(f"{self.lost} damaged: {seqs}{' …' * (len(self.runs) > _SHOWN)}")
        if self.unprovable:
            words.append(f"{self.unprovable} unprovable")
        if self.repeated:
            words.append(f"{self.repeated} that stand there again, or are of another history")
        if self.reframed:
            words.append(f"{self.reframed} do not end with a newline alone (that costs nothing)")
        if self.journalled:
            words.append(f"{self.journalled} more in the journal (`edgechat recover`, or a start)")
        if self.torn_bytes:
            words.append(f"a torn last line of {self.torn_bytes} bytes (the next start mends it)")
        return f"{self.room}: {', '.join(words)}"


def verify(
    path: Path,
    shown: str,
    room: str,
    progress: Callable[[int], Any],
    journal: JournalView | None = None,
) -> Report:
    """Read `room`'s history and report. `progress` is told how many bytes were read since.

    What the report calls the room is `shown`. `journal` was looked at before.
    """
    report = Report(shown)
    try:
        fd = open_regular(path)
    except OSError as error:
        report.error = (error.strerror or str(error)).lower()
        return report
    try:
        reader = _verify(fd, room, report, progress)
        if journal is not None and reader is not None:
            new = journal.after(key_of(path), reader.seq, reader.h)
            report.journalled = sum(1 for _ in new)
    except OSError as error:
        report.error = (error.strerror or str(error)).lower()
    finally:
        system.close(fd)
    return report


def _verify(
    fd: int, room: str, report: Report, progress: Callable[[int], Any]
) -> ChainReader | None:
    """Returns the walk that is at the end; None for a file that no walk goes through."""
    beginning = read_beginning(fd)
    report.bytes = system.fstat(fd).st_size
    report.refusal = beginning.refusal_of(room) or has_utf16(fd, report.bytes)
    if beginning.refusal:
        return None  # what is in it means something else
    base = beginning.header.token if beginning.header else None
    file = File(fd, beginning.start, max(find_end(fd), beginning.start), base)
    seq, h = base or (0, None)
    reader = ChainReader(seq, bytes.fromhex(h) if h else None, newest=0)
    for entry in read_through(reader, _told(lines(file, file.start), progress)):
        report.lines += entry.line is not None
    report.lost, report.runs = reader.lost, reader.runs
    report.unprovable, report.reframed = reader.unprovable, reader.reframed
    report.repeated = reader.passed
    report.torn_bytes = report.bytes - file.end
    if base is None and not report.lines:
        if report.bytes <= longest_write(Settings()) and is_begun(fd):
            report.torn_bytes = report.bytes
        else:
            report.refusal = report.refusal or "it is not a history"
    else:
        report.damaged_header = not report.refusal and beginning.is_damaged(room)
        report.refusal = report.refusal or order.disorder(reader)
    return reader


def _told(rest: Iterator[bytes], progress: Callable[[int], Any]) -> Iterator[bytes]:
    size = 0
    for count, line in enumerate(rest):
        size += len(line) + 1
        if count % _EVERY == 0:
            progress(size)
            size = 0
        yield line
    progress(size)
