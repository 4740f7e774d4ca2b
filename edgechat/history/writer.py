"""The writing side of one history file. All of it is synchronous.

A line is in the file, and the file in its place, before anybody is shown it; with `disk`
durability it is in the journal, too. What fails takes back what it wrote; a file that can't be
trusted any more is reopened and checked first.
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
from edgechat.history.data_folder import sync_folder
from edgechat.history.reader import Base, File, Header
from edgechat.history.reopening import FLAGS, Doubts, identity, reason, reopen

# The file as it is after a write, and the last line in it.
Written = tuple[File, bytes]


class Writer:
    """Appends to one history file, and makes it with its first line; a `syncer.Syncable`."""

    __slots__ = (
        "_base",
        "_created",
        "_generation",
        "_identity",
        "_journal",
        "_last",
        "_name_lasts",
        "_path",
        "_place",
        "file",
        "key",
        "suspect",
    )

    def __init__(
        self,
        key: RoomKey,
        path: Path,
        base: Token,
        file: File | None,
        last: bytes | None,
        journal: Doubts | None,
    ) -> None:
        """`file` is None where there is none yet; `last` is its last line, to know it by.

        With a `journal` lines are stored once it has them, too: others see to that.
        """
        self.file = file  # as far as lines are stored
        self.suspect = False  # it has to be reopened and checked before it is written
        self.key = key
        self._path = path
        self._place = str(path)
        self._base = base
        self._last = last
        self._journal = journal
        self._identity = identity(system.fstat(file.fd)) if file else None
        self._generation: int | None = None  # of the folder, when the file was last found there
        # Not known of an old file, as its maker may have died; with a journal an open sees to it.
        self._name_lasts = journal is not None and file is not None
        self._created = system.now_ms()

    @property
    def folder(self) -> Path:
        """Where the file's name is."""
        return self._path.parent

    def __str__(self) -> str:
        return f"the history of {self.key}"

    def write(self, new: Sequence[bytes]) -> Written:
        """Write lines (without newlines), all or none. Nothing counts as stored before `accept`.

        Raises `StorageUnavailable`, or `HistoryChanged`: then this is of no more use.
        """
        if self.suspect:
            self._reopen()
        data = b"\n".join(new) + b"\n"
        file = self.file
        if file is None:
            file = self._create()
            data = self.header() + data
        elif self._find_end(file) != file.end:  # nobody knows any more where a line begins
            raise HistoryChanged("the file was written to or cut by others")
        try:
            written = system.write(file.fd, data)
        except OSError as error:
            self._roll_back(file)
            raise StorageUnavailable(reason(error)) from None
        if written < len(data):
            self._roll_back(file)
            raise StorageUnavailable("the disk took only a part of it")
        return File(file.fd, file.start, file.end + written, file.base), new[-1]

    def check(self, written: Written, generation: int, *, accept: bool) -> None:
        """What was written is where it is looked for; else it is taken back, and this raises.

        `generation` is the folder's after `write`. Without `accept`, the method of that name or
        `take_back` has to follow.
        """
        if generation != self._generation:
            self._check_place(written[0])
            self._generation = generation
        if accept:
            self.file, self._last = written

    def accept(self, written: Written) -> None:
        """It is stored."""
        self.file, self._last = written

    def take_back(self, written: Written) -> None:
        """It is not to be stored."""
        self._roll_back(written[0], in_place=self._is_in_place())

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

    def _find_end(self, file: File) -> int:
        try:
            return system.lseek(file.fd, 0, system.SEEK_END)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None

    def _check_place(self, written: File) -> None:
        """Lines in a file that was moved away or removed would be seen, and then lost."""
        try:
            found = system.stat(self._place, follow_symlinks=False)
        except FileNotFoundError:
            self._roll_back(written, in_place=False)
            raise HistoryChanged("the file was moved or removed") from None
        except OSError as error:
            self._roll_back(written)
            raise StorageUnavailable(reason(error)) from None
        if (found.st_dev, found.st_ino) != self._identity:
            self._roll_back(written, in_place=False)
            raise HistoryChanged("the file was replaced")

    def _is_in_place(self) -> bool:
        with suppress(OSError):
            return identity(system.stat(self._place, follow_symlinks=False)) == self._identity
        return False

    def _create(self) -> File:
        try:
            fd = system.open(self._path, FLAGS | system.O_CREAT | system.O_EXCL, 0o600)
        except FileExistsError:
            raise HistoryChanged("a file appeared in its place") from None
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        self._identity = identity(system.fstat(fd))
        self._name_lasts = False
        return File(fd, len(self.header()), 0, self._base)

    def header(self) -> bytes:
        """The first line of a file that this makes, with its newline."""
        header = Header(1, self.key.name, self._created, Base(*self._base))
        return msgspec.json.encode(header) + b"\n"

    def _roll_back(self, file: File, *, in_place: bool = True) -> None:
        """Take back what is beyond the last stored line; a new file goes, if it is in its place."""
        if self.file is None:
            system.close(file.fd)
            if in_place:
                with suppress(OSError):
                    system.unlink(self._path)
            return
        if self._journal is not None:
            self.suspect = True  # a power loss could undo this, until it is synced
        try:
            system.ftruncate(file.fd, self.file.end)
        except OSError:
            self.suspect = True

    def _reopen(self) -> None:
        if self.file is not None:
            last = self._last or b""
            self._identity = reopen(self._path, self.file, last, self.key, self._journal)
        self.suspect = False
