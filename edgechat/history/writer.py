"""The writing side of one history file. All of it is synchronous.

What is stored is in the journal first, and here among the `unwritten`; those are appended to the
file a little later (`write_behind`), together. Only a new file is made at once. A file that can't
be trusted any more is reopened and checked; where it is not the one that this room goes on from,
it gets those lines that continue it, and the others are put aside.
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
from edgechat.history import reopening
from edgechat.history.data_folder import sync_folder
from edgechat.history.journal.commits import place_of
from edgechat.history.journal.segment import Segment
from edgechat.history.reader import Base, File, Header
from edgechat.history.reopening import Mends, identity, reason
from edgechat.rooms.storage import Wake, nothing


class Writer:
    """Appends to one history file, and makes it with its first lines."""

    __slots__ = (
        "_base", "_created", "_identity", "_is_writing", "_last", "_mends", "_name_lasts",
        "_path", "_place", "changed", "file", "generation", "is_ready", "key", "record_place",
        "segment", "suspect", "tell_change", "unwritten",
    )  # fmt: skip

    def __init__(
        self,
        key: RoomKey,
        path: Path,
        base: Token,
        file: File | None,
        last: bytes | None,
        mends: Mends,
        tell_change: Wake = nothing,
    ) -> None:
        """`file` is None where there is none yet; `last` is its last line, to know it by.

        `tell_change` is called, in Trio's thread, once `changed` is set.
        """
        self.file = file  # as far as lines are written
        self.unwritten: list[bytes] = []  # lines that are stored, and not in the file yet
        self.suspect = False  # it has to be reopened and checked before it is written
        self.changed: HistoryChanged | None = None  # it is of no more use
        self.is_ready = file is not None  # none of these three is in the way
        self.segment: Segment | None = None  # of the journal, which has the newest line of it
        self.key = key
        self.record_place = place_of(key)  # of its lines in the journal
        self.generation: int | None = None  # of the folder, when the file was last found there
        self.tell_change = tell_change
        self._path = path
        self._place = str(path)
        self._base = base
        self._last = last
        self._mends = mends
        self._identity = identity(system.fstat(file.fd)) if file else None
        self._is_writing = False  # in a thread: its length is not known
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
        """Make the file, with its first lines (without newlines): they count from `made` on.

        Raises `StorageUnavailable`, or `HistoryChanged`: then this is of no more use.
        """
        header = self.header()
        fd, end = reopening.create(self._path, [header, *lines])
        self._identity = identity(system.fstat(fd))
        self._name_lasts = False
        return File(fd, len(header) + 1, end, self._base)

    def discard(self, file: File) -> None:
        """What `create` has made is not to be stored."""
        reopening.discard(self._path, file.fd)

    def check(self, generation: int) -> None:
        """The file is where it is looked for, and as long as it was left; else this raises.

        `generation` is the folder's now: while it stays so, this need not be asked again.
        """
        size = reopening.size_of(self._place, self._identity)
        if self.file is not None and not self._is_writing and size != self.file.end:
            raise HistoryChanged("the file was written to or cut by others")
        self.generation = generation

    def made(self, created: File, last: bytes) -> None:
        """What `create` made is stored, up to its `last` line."""
        self.file, self._last, self.is_ready = created, last, True

    def write(self) -> tuple[int, File]:
        """Append the unwritten lines, all or none. Returns how many, and the file with them.

        `written` has to follow. Raises `StorageUnavailable`, and `HistoryChanged`: then this is
        of no more use, and `give_up` has to follow.
        """
        if self.changed is not None:
            raise self.changed
        assert self.file is not None
        self._is_writing = True
        if self.suspect:
            self._reopen(self.file)
        lines, file = self.unwritten.copy(), self.file
        if not lines:
            return 0, file
        try:
            if system.lseek(file.fd, 0, system.SEEK_END) != file.end:
                raise HistoryChanged("the file was written to or cut by others")
            end = file.end + reopening.append(file.fd, lines)
        except OSError as error:
            self._roll_back(file)
            raise StorageUnavailable(reason(error)) from None
        try:
            reopening.size_of(
                self._place, self._identity
            )  # lines in a file that was moved away are lost
        except StorageUnavailable as failure:
            if not isinstance(failure, HistoryChanged):
                self._roll_back(file)
            raise
        return len(lines), File(file.fd, file.start, end, file.base)

    def written(self, count: int, file: File | None) -> None:
        """So many lines are in the file, or put aside. In Trio's thread, as `made` is."""
        if file is not None and count:
            self._last, self.file = self.unwritten[count - 1], file
        del self.unwritten[:count]
        self.rests()

    def rests(self) -> None:
        """`write` is over, whatever became of it. In Trio's thread."""
        self._is_writing = False

    def change(self, failure: HistoryChanged) -> None:
        """The file is not the one any more that this goes on from: this is of no more use."""
        self.changed, self.is_ready = failure, False

    def give_up(self) -> int:
        """After a change: what is unwritten continues what is there now, or is put aside.

        Returns how many lines. Raises `OSError`.
        """
        lines = self.unwritten.copy()
        self._mends.rescue(self.key, lines)
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

    def _roll_back(self, file: File) -> None:
        """Take back what is behind the last written line."""
        self.doubt()  # a power loss could undo this, until it is synced
        with suppress(OSError):
            system.ftruncate(file.fd, file.end)

    def _reopen(self, file: File) -> None:
        self._identity = reopening.reopen(
            self._path, file, self._last or b"", self.key, self._mends
        )
        self.suspect, self.is_ready = False, True
