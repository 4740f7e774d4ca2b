"""After a failure nothing is believed of a file: it is opened anew, and its end is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.history.reader import File

FLAGS = system.O_RDWR | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW


class Mends(Protocol):
    """Who mends files that an `fsync` failed to write, or that others changed."""

    def doubt(self, key: RoomKey) -> None:
        """See `doubts.Doubts`."""

    def recover(self, key: RoomKey) -> None:
        """See `doubts.Doubts`."""

    def rescue(self, key: RoomKey, lines: Sequence[bytes]) -> None:
        """See `doubts.Doubts`."""


def create(path: Path, lines: Sequence[bytes]) -> tuple[int, int]:
    """Make a history file with its header and first lines (without newlines).

    Returns its descriptor, and its bytes. Raises `StorageUnavailable`, `HistoryChanged`.
    """
    try:
        fd = system.open(path, FLAGS | system.O_CREAT | system.O_EXCL, 0o600)
    except FileExistsError:
        raise HistoryChanged("a file appeared in its place") from None
    except OSError as error:
        raise StorageUnavailable(reason(error)) from None
    try:
        return fd, append(fd, lines)
    except OSError as error:
        discard(path, fd)
        raise StorageUnavailable(reason(error)) from None


def append(fd: int, lines: Sequence[bytes]) -> int:
    """Returns how many bytes. Raises `OSError`: some of them may be there then."""
    data = b"\n".join(lines) + b"\n"
    if system.write(fd, data) < len(data):
        raise OSError("the disk took only a part of it")
    return len(data)


def discard(path: Path, fd: int) -> None:
    """Empty a file that was just made, and remove it, if it is the one in its place.

    Where it can't be removed it does no harm: an empty one is as good as none.
    """
    with suppress(OSError):
        system.ftruncate(fd, 0)
    with suppress(OSError):
        place = identity(system.stat(path, follow_symlinks=False))
        if place == identity(system.fstat(fd)):
            system.unlink(path)
    system.close(fd)


def reopen(path: Path, file: File, last: bytes, key: RoomKey, journal: Mends) -> tuple[int, int]:
    """Open the file at `path` in the place of `file`, whose last line is `last`, and cut off what
    comes after that. Returns its identity.

    Raises `StorageUnavailable`, or `HistoryChanged` where that line is not there.
    """
    try:
        journal.recover(key)
        fd = system.open(path, FLAGS)
        system.dup2(fd, file.fd, inheritable=False)  # one who reads it meanwhile is not disturbed
        system.close(fd)
        found = identity(system.fstat(file.fd))
        line = last + b"\n"
        if system.pread(file.fd, len(line), file.end - len(line)) != line:
            raise HistoryChanged("the file has lost lines")
        system.ftruncate(file.fd, file.end)
        _sync(file, key, journal)
    except FileNotFoundError:
        raise HistoryChanged("the file is gone") from None
    except OSError as error:
        raise StorageUnavailable(reason(error)) from None
    return found


def size_of(place: str, expected: tuple[int, int] | None) -> int:
    """How long the file at a path is, which has to be the one of that identity.

    Raises `HistoryChanged`, `StorageUnavailable`.
    """
    try:
        found = system.stat(place, follow_symlinks=False)
    except FileNotFoundError:
        raise HistoryChanged("the file was moved or removed") from None
    except OSError as error:
        raise StorageUnavailable(reason(error)) from None
    if (found.st_dev, found.st_ino) != expected:
        raise HistoryChanged("the file was replaced")
    return found.st_size


def reason(error: OSError) -> str:
    """What went wrong, for a log."""
    return error.strerror or str(error)


def identity(stat: system.stat_result) -> tuple[int, int]:
    """Which file it is, whatever its name."""
    return stat.st_dev, stat.st_ino


def _sync(file: File, key: RoomKey, journal: Mends) -> None:
    try:
        system.fsync(file.fd)
    except OSError:
        journal.doubt(key)  # before any other call: the next `fsync` could succeed
        raise
