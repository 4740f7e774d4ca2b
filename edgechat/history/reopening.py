"""After a failure nothing is believed of a file: it is opened anew, and its end is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.history.reader import File

FLAGS = system.O_RDWR | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW


class Doubts(Protocol):
    """What the journal knows of files that an `fsync` failed to write."""

    def doubt(self, key: RoomKey) -> None:
        """See `journal.Journal`."""

    def recover(self, key: RoomKey) -> None:
        """See `journal.Journal`."""


def reopen(
    path: Path, file: File, last: bytes, key: RoomKey, journal: Doubts | None
) -> tuple[int, int]:
    """Open the file at `path` in the place of `file`, whose last line is `last`, and cut off what
    comes after that. Returns its identity.

    Raises `StorageUnavailable`, or `HistoryChanged` where that line is not there.
    """
    try:
        if journal is not None:
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


def reason(error: OSError) -> str:
    """What went wrong, for a log."""
    return error.strerror or str(error)


def identity(stat: system.stat_result) -> tuple[int, int]:
    """Which file it is, whatever its name."""
    return stat.st_dev, stat.st_ino


def _sync(file: File, key: RoomKey, journal: Doubts | None) -> None:
    try:
        system.fsync(file.fd)
    except OSError:
        if journal is not None:
            journal.doubt(key)  # before any other call: the next `fsync` could succeed
        raise
