"""What was said, what is stored and what was shown, in all rooms; and whether that is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from edgechat.settings import Settings

from .book import Book, Broken, Line, Place, read_line
from .disk import Disk
from .stored import journal, stored

NOWHERE: Place = (0, "0" * 16)


@dataclass(slots=True)
class Said:
    """A message. Its text is of no other; its id is what it was sent with."""

    text: str
    id: str | None
    room: str
    name: str
    attempts: int = 0  # how often it was sent
    refused: str = ""  # the code with which it was refused for good


@dataclass(slots=True)
class Shown:
    """A line that a server sent to somebody."""

    line: Line
    at: float
    process: int


@dataclass(slots=True)
class Archive:
    """One room: its history as read last, and what was shown of it."""

    path: str
    book: Book = field(default_factory=Book)
    shown: dict[Place, Shown] = field(default_factory=dict)
    lost: list[Line] = field(default_factory=list)  # to a power loss that `os` does not outlive
    top: int = 0  # the last line that was shown
    inherited: int = 0  # the last line that this server process did not write

    def is_place(self, place: Place) -> bool:
        """Whether one may go on from there. What was shown may be in the journal alone for a while,
        where an `fsync` of the file failed and the disk is full."""
        return (
            place in (NOWHERE, self.book.base) or place in self.book.places or place in self.shown
        )


class Truth:
    """The judge. `fail` is told what was broken; `epoch` counts power losses."""

    def __init__(self, disk: Disk, settings: Settings, fail: Callable[[str], None]) -> None:
        self.settings = settings
        self.fail = fail
        self.epoch = 0
        self.patience = 1.0  # seconds on top of the interval, in which a background sync is through
        self.process = 0  # which server process runs
        self.sync_is_sure = True  # no `fsync` was made to fail
        self.is_serving = False  # else a recovery may still have to put lines back
        self.said: dict[str, Said] = {}  # by text
        self.tally: Counter[str] = Counter()  # what was met, and how often
        self._disk = disk
        self._archives: dict[str, Archive] = {}

    def archive(self, room: str) -> Archive:
        if room not in self._archives:
            path = str(self.settings.data / "rooms" / "public" / f"{room}.jsonl")
            self._archives[room] = Archive(path)
        return self._archives[room]

    def look(self, room: str) -> Archive:
        """A room's archive, with all that is stored now."""
        archive = self.archive(room)
        archive.book.read(stored(self._disk, archive.path, self.settings.data))
        return archive

    # What happens.

    def boot(self) -> None:
        """Another server process begins."""
        self.process += 1
        for room, archive in self._archives.items():
            self._read(room)
            archive.inherited = archive.book.head[0]

    def say(self, said: Said) -> None:
        self.said[said.text] = said

    def sent(self, text: str) -> None:
        """A client sent a message."""
        self.said[text].attempts += 1

    def refuse(self, said: Said, code: str) -> None:
        """A client was told that its message will never be stored."""
        said.refused = code
        archive = self.look(said.room)
        shown = [one.line for one in archive.shown.values()]  # a recovery may still be due
        lines = [*archive.book.lines, *archive.lost, *shown]
        taken = any(line.id == said.id and line.message != said.text for line in lines)
        if code == "id_conflict" and not taken:
            self.fail(f"{said.text!r} was refused, allegedly for another with the id {said.id}")

    def show(self, room: str, raw: bytes) -> None:
        """A server sends a line to somebody: it must be stored by now."""
        archive = self.archive(room)
        line = read_line(raw)
        known = archive.shown.get(line.place)
        if known is not None and known.line.raw == raw:
            return
        if not self._is_there(archive, raw):
            self.fail(f"line {line.seq} of {room} was shown, but is not stored: {raw!r}")
        archive.top = max(archive.top, line.seq)
        archive.shown[line.place] = Shown(line, trio.current_time(), self.process)

    def _is_there(self, archive: Archive, raw: bytes) -> bool:
        """In the file or in the journal; with `disk` durability for good."""
        whole = b"\n" + raw + b"\n"
        is_disk = self.settings.durability == "disk"
        file = self._disk.image(archive.path) if is_disk else self._disk.content(archive.path)
        return whole in file or self._is_journalled(raw)

    def _is_journalled(self, raw: bytes) -> bool:
        """With `disk` durability for good."""
        folder, record = self.settings.data / "journal", b" " + raw + b"\n"
        if self.settings.durability == "disk":
            return any(record in one for one in self._disk.images(str(folder)))
        return any(record in one for one in journal(self._disk, self.settings.data))

    def power_lost(self) -> None:
        """Under `os` durability the newest lines may be gone, but no others."""
        self.epoch += 1
        if self.settings.durability == "disk":
            return
        for room, archive in self._archives.items():
            self._read(room)
            for place, shown in list(archive.shown.items()):
                if place not in archive.book.places:
                    if place[0] > archive.inherited:
                        self._check_age(room, shown)
                    archive.lost.append(archive.shown.pop(place).line)
            archive.top = max((seq for seq, _ in archive.shown), default=0)

    def _check_age(self, room: str, shown: Shown) -> None:
        age = trio.current_time() - shown.at
        if (
            self.sync_is_sure
            and shown.process == self.process
            and age > self.settings.sync_interval + self.patience
        ):
            self.fail(f"line {shown.line.seq} of {room}, {age:.1f} s old, was not synced")

    def count(self) -> tuple[int, int]:
        """How many lines are stored, and how many were shown."""
        archives = self._archives.values()
        return sum(len(a.book.lines) for a in archives), sum(len(a.shown) for a in archives)

    # Whether it is right.

    def check(self) -> None:
        """All that must be so whenever a server serves."""
        if not self.is_serving:
            return
        for room, archive in self._archives.items():
            if self._read(room):
                self._check_shown(room, archive)
                self._check_said(room, archive)
        self._check_refused()

    def check_quiet(self, answered: list[Said]) -> None:
        """All that must be so once every client got its answers."""
        assert self.is_serving
        self.check()
        for said in answered:
            archive = self.archive(said.room)
            shown = [one.line for one in archive.shown.values()]  # which were checked
            if said.text not in archive.book.texts.union(
                line.message for line in (*archive.lost, *shown)
            ):
                self.fail(f"{said.text!r} of {said.name} was acknowledged, but is not stored")

    def _read(self, room: str) -> bool:
        try:
            self.look(room)
        except Broken as broken:
            self.fail(f"the history of {room}: {broken}")
            return False
        return True

    def _check_shown(self, room: str, archive: Archive) -> None:
        for place, shown in archive.shown.items():
            if place not in archive.book.places:
                if self._is_journalled(shown.line.raw):
                    continue  # a file that could not be mended at the start is when it is opened
                self.fail(f"line {shown.line.seq} of {room} was shown, and is gone: {shown.line}")

    def _check_said(self, room: str, archive: Archive) -> None:
        at: dict[str, int] = {}
        texts: Counter[str] = Counter()
        for line in archive.book.lines:
            said = self.said.get(line.message)
            if said is None or (said.room, said.name, said.id) != (room, line.name, line.id):
                self.fail(f"nobody said this in {room}: {line.raw!r}")
            elif said.id is None:
                texts[said.text] += 1
                if texts[said.text] > said.attempts:
                    self.fail(f"{said.text!r} is stored more often than it was said")
            elif line.seq - at.get(said.id, -self.settings.known_ids) < self.settings.known_ids:
                self.fail(f"{said.text!r} is stored twice: lines {at[said.id]} and {line.seq}")
            if said is not None and said.id is not None:
                at[said.id] = line.seq

    def _check_refused(self) -> None:
        for said in self.said.values():
            if said.refused and said.attempts <= 1 and self._is_stored(said):
                self.fail(f"{said.text!r} was refused ({said.refused}), and is stored")

    def _is_stored(self, said: Said) -> bool:
        text = b'"message":"%b"' % said.text.encode()
        if any(text in revenant for revenant in self._disk.revenants):
            return False  # the disk would not let go of it
        return said.text in self.archive(said.room).book.texts
