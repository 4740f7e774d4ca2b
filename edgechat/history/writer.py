"""The writing side of one history file. All of it is synchronous.

A line is in the file, at the chosen durability, and the file in its place, before anybody is shown
it. What fails takes back what it wrote; a file that can't be trusted is reopened and checked.
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
from edgechat.history.reopening import FLAGS, identity, reopen
from edgechat.settings import Durability

# The file as it is after a write, and the last line in it.
Written = tuple[File, bytes]


class Writer:
    """Appends to one history file, and makes it with its first line; a `syncer.Syncable`."""

    __slots__ = (
        "_base",
        "_created",
        "_durability",
        "_generation",
        "_identity",
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
        durability: Durability,
    ) -> None:
        """`file` is None where there is none yet; `last` is its last line, to know it by."""
        self.file = file  # as far as lines are stored
        self.suspect = False  # it has to be reopened and checked before it is written
        self.key = key
        self._path = path
        self._place = str(path)
        self._base = base
        self._last = last
        self._durability = durability
        self._identity = identity(system.fstat(file.fd)) if file else None
        self._generation: int | None = None  # of the folder, when the file was last found there
        self._name_lasts = False  # not known of an old file either: its maker may have died
        self._created = system.now_ms()

    def __str__(self) -> str:
        return f"the history of {self.key}"

    def append(self, new: Sequence[bytes]) -> None:
        """Store lines (without newlines), all or none.

        Raises `StorageUnavailable`, or `HistoryChanged`: then this is of no more use.
        """
        self.confirm(self.write(new))

    def write(self, new: Sequence[bytes]) -> Written:
        """The first half of `append`: nothing counts as stored before `confirm`."""
        if self.suspect:
            self._reopen()
        data = b"\n".join(new) + b"\n"
        file = self.file
        if file is None:
            file = self._create()
            data = self._header() + data
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
        file = File(file.fd, file.start, file.end + written, file.base)
        if self._durability == "disk":
            self._commit(file)
        return file, new[-1]

    def confirm(self, written: Written, generation: int | None = None) -> None:
        """The second half: what was written is where it is looked for. Else it is taken back.

        `generation` is the folder's, where that was looked at after `write`.
        """
        if generation is None or generation != self._generation:
            self._check_place(written[0])
            self._generation = generation
        self.file, self._last = written

    def sync(self) -> None:
        """Fsync all that was written, and a new file's name. Raises `OSError`."""
        if self.file is not None:
            self._sync(self.file)

    def release(self) -> None:
        """Close the file."""
        if self.file is not None:
            system.close(self.file.fd)

    def _commit(self, file: File) -> None:
        try:
            self._sync(file)
        except OSError as error:
            self._roll_back(file)
            self.suspect = True
            raise StorageUnavailable(reason(error)) from None

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

    def _create(self) -> File:
        try:
            fd = system.open(self._path, FLAGS | system.O_CREAT | system.O_EXCL, 0o600)
        except FileExistsError:
            raise HistoryChanged("a file appeared in its place") from None
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        self._identity = identity(system.fstat(fd))
        self._name_lasts = False
        return File(fd, len(self._header()), 0, self._base)

    def _header(self) -> bytes:
        base = Base(*self._base)
        header = Header(1, self.key.name, self._created, base)
        return msgspec.json.encode(header) + b"\n"

    def _roll_back(self, file: File, *, in_place: bool = True) -> None:
        """Take back what was written; a new file goes altogether, if it is the one in its place."""
        if self.file is not None:
            try:
                system.ftruncate(file.fd, self.file.end)
            except OSError:
                self.suspect = True
            return
        system.close(file.fd)
        if in_place:
            with suppress(OSError):
                system.unlink(self._path)

    def _sync(self, file: File) -> None:
        system.fsync(file.fd)
        if not self._name_lasts:
            sync_folder(self._path.parent)
            self._name_lasts = True

    def _reopen(self) -> None:
        """After a failure nothing is believed: open the file anew, and look at its end."""
        if self.file is not None:
            try:
                self._identity = reopen(self._path, self.file, self._last or b"")
            except FileNotFoundError:
                raise HistoryChanged("the file is gone") from None
            except OSError as error:
                raise StorageUnavailable(reason(error)) from None
        self.suspect = False


def reason(error: OSError) -> str:
    """What went wrong, for a log."""
    return error.strerror or str(error)
