"""The writing side of one history file. All of it is synchronous.

What is stored is in the journal first, and here among the `unwritten`; those are appended to the
file a little later (`write_behind`), together. Only a new file is made at once. A file that can't
be trusted any more is reopened and checked; where it does not go on as the room does, what it lacks
is put aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.line import Token
from edgechat.chat.names import RoomKey
from edgechat.history.aside import put_aside
from edgechat.history.data_folder import sync_folder
from edgechat.history.journal_record import place_of
from edgechat.history.journal_segment import Segment
from edgechat.history.reader import Base, File, Header
from edgechat.history.reopening import Mends, append, create, discard, identity, reason, reopen


class Writer:
    """Appends to one history file, and makes it with its first lines."""

    __slots__ = (
        "_base",
        "_created",
        "_identity",
        "_journal",
        "_last",
        "_name_lasts",
        "_path",
        "_place",
        "changed",
        "file",
        "generation",
        "is_ready",
        "key",
        "record_place",
        "segment",
        "suspect",
        "unwritten",
    )

    def __init__(
        self,
        key: RoomKey,
        path: Path,
        base: Token,
        file: File | None,
        last: bytes | None,
        journal: Mends,
    ) -> None:
        """`file` is None where there is none yet; `last` is its last line, to know it by."""
        self.file = file  # as far as lines are written
        self.unwritten: list[bytes] = []  # lines that are stored, and not in the file yet
        self.suspect = False  # it has to be reopened and checked before it is written
        self.changed: HistoryChanged | None = None  # it is of no more use
        self.is_ready = file is not None  # none of these three is in the way
        self.segment: Segment | None = None  # of the journal, which has lines of it since
        self.key = key
        self.record_place = place_of(key)  # of its lines in the journal
        self._path = path
        self._place = str(path)
        self._base = base
        self._last = last
        self._journal = journal
        self._identity = identity(system.fstat(file.fd)) if file else None
        self.generation: int | None = None  # of the folder, when the file was last found there
        self._name_lasts = file is not None  # a start has synced the folders
        self._created = system.now_ms()

    @property
    def folder(self) -> Path:
        """Where the file's name is."""
        return self._path.parent

    def __str__(self) -> str:
        return f"the history of {self.key}"

    def header(self) -> bytes:
        """The first line of a file that this makes, without its newline."""
        header = Header(1, self.key.name, self._created, Base(*self._base))
        return msgspec.json.encode(header)

    def create(self, lines: Sequence[bytes]) -> File:
        """Make the file, with its first lines (without newlines): they count from `accept` on.

        Raises `StorageUnavailable`, or `HistoryChanged`: then this is of no more use.
        """
        header = self.header()
        fd, end = create(self._path, [header, *lines])
        self._identity = identity(system.fstat(fd))
        self._name_lasts = False
        return File(fd, len(header) + 1, end, self._base)

    def discard(self, file: File) -> None:
        """What `create` has made is not to be stored."""
        discard(self._path, file.fd)

    def check(self, generation: int | None = None) -> None:
        """The file is where it is looked for; else this raises. Sets the folder's generation."""
        try:
            found = self._find()
        except FileNotFoundError:
            raise HistoryChanged("the file was moved or removed") from None
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        if found != self._identity:
            raise HistoryChanged("the file was replaced")
        self.generation = generation

    def made(self, created: File, last: bytes) -> None:
        """What `create` made is stored, up to its `last` line."""
        self.file, self._last, self.is_ready = created, last, True

    def write(self) -> tuple[int, File]:
        """Append the unwritten lines, all or none. Returns how many, and the file with them.

        `written` has to follow. Raises `StorageUnavailable`, and `HistoryChanged`: then this is
        of no more use, and they are to be put aside.
        """
        if self.changed is not None:
            raise self.changed
        assert self.file is not None
        if self.suspect:
            self._reopen(self.file)
        lines, file = self.unwritten.copy(), self.file
        if not lines:
            return 0, file
        try:
            if system.lseek(file.fd, 0, system.SEEK_END) != file.end:
                raise HistoryChanged("the file was written to or cut by others")
            end = file.end + append(file.fd, lines)
        except OSError as error:
            self._roll_back(file)
            raise StorageUnavailable(reason(error)) from None
        try:
            self.check()  # lines in a file that was moved away are lost
        except StorageUnavailable:
            self._roll_back(file)
            raise
        return len(lines), File(file.fd, file.start, end, file.base)

    def written(self, count: int, file: File | None) -> None:
        """So many lines are in the file, or put aside. In Trio's thread, as `accept` is."""
        if file is not None and count:
            self._last, self.file = self.unwritten[count - 1], file
        del self.unwritten[:count]

    def give_up(self, failure: HistoryChanged) -> int:
        """The file is not the room's any more: put aside what it lacks. Returns how many lines.

        Raises `OSError`.
        """
        self.changed, self.is_ready = failure, False
        lines = self.unwritten.copy()
        put_aside(self._path, self.key, lines)
        return len(lines)

    def doubt(self) -> None:
        """It has to be reopened and checked before it is written."""
        self.suspect, self.is_ready = True, False

    def sync(self) -> None:
        """Fsync all that was written, and a new file's name. Raises `OSError`."""
        if self.file is not None:
            system.fsync(self.file.fd)
            if not self._name_lasts:
                sync_folder(self.folder)
                self._name_lasts = True

    def release(self) -> None:
        """Close the file."""
        if self.file is not None:
            system.close(self.file.fd)

    def _find(self) -> tuple[int, int]:
        return identity(system.stat(self._place, follow_symlinks=False))

    def _roll_back(self, file: File) -> None:
        """Take back what is behind the last written line."""
        self.doubt()  # a power loss could undo this, until it is synced
        with suppress(OSError):
            system.ftruncate(file.fd, file.end)

    def _reopen(self, file: File) -> None:
        self._identity = reopen(self._path, file, self._last or b"", self.key, self._journal)
        self.suspect, self.is_ready = False, True
