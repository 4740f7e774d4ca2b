"""Checks a history file: its chain, its sequence, its ends. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgechat import system
from edgechat.chat.line import Entry
from edgechat.history.chain_reader import ChainReader
from edgechat.history.reader import all_entries
from edgechat.history.repair import open_file

_EVERY = 4_096  # lines between two words about progress
_SHOWN = 20  # damaged lines named in a report


class Report(msgspec.Struct):
    """What was found in one file."""

    room: str
    lines: int = 0
    bytes: int = 0
    lost: list[int] = msgspec.field(default_factory=list)  # the seq of each damaged line
    unprovable: int = 0  # lines that are whole, and follow damage that hides their `h`
    damaged_header: bool = False
    torn_bytes: int = 0  # at the very end: cut off at the next start, and no damage
    error: str = ""

    @property
    def is_damaged(self) -> bool:
        """Whether anything is wrong that a start will not mend."""
        return bool(self.lost or self.unprovable or self.damaged_header or self.error)

    def __str__(self) -> str:
        """For a person, in one line."""
        if self.error:
            return f"{self.room}: {self.error}"
        words = [f"{self.lines} lines"]
        if self.damaged_header:
            words.append("the header is damaged")
        if self.lost:
            seqs = ", ".join(map(str, self.lost[:_SHOWN]))
            words.append(f"{len(self.lost)} damaged: {seqs}{' …' * (len(self.lost) > _SHOWN)}")
        if self.unprovable:
            words.append(f"{self.unprovable} unprovable")
        if self.torn_bytes:
            words.append(f"a torn last line of {self.torn_bytes} bytes (the next start mends it)")
        return f"{self.room}: {', '.join(words)}"


def verify(path: Path, room: str, progress: Callable[[int], Any]) -> Report:
    """Read one history and report. `progress` is told how many bytes were read since last time."""
    report = Report(room)
    try:
        fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC | system.O_NOFOLLOW)
    except OSError as error:
        report.error = (error.strerror or str(error)).lower()
        return report
    try:
        _verify(fd, report, progress)
    finally:
        system.close(fd)
    return report


def _verify(fd: int, report: Report, progress: Callable[[int], Any]) -> None:
    file = open_file(fd)
    report.bytes = system.fstat(fd).st_size
    report.torn_bytes = report.bytes - file.end
    report.damaged_header = file.end > 0 and file.base is None
    seq, h = file.base or (0, None)
    reader = ChainReader(seq, bytes.fromhex(h) if h else None)
    for entry in _told(all_entries(file, reader), progress):
        report.lines += 1
        if entry.line is None:
            report.lost.append(entry.seq)
    report.unprovable = reader.unprovable


def _told(entries: Iterator[Entry], progress: Callable[[int], Any]) -> Iterator[Entry]:
    size = 0
    for count, entry in enumerate(entries):
        size += len(entry.line or b"") + 1
        if count % _EVERY == 0:
            progress(size)
            size = 0
        yield entry
    progress(size)


def rooms(data: Path) -> Iterator[tuple[Path, str]]:
    """All histories of a data folder, and what to call each in a report."""
    for kind in ("public", "private"):
        for path in sorted((data / "rooms" / kind).glob("*.jsonl")):
            yield path, path.stem if kind == "public" else f"private {path.stem[:8]}…"
