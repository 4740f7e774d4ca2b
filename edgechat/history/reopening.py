"""Opens a history file anew that can't be trusted any more, as something failed."""

from __future__ import annotations

from pathlib import Path

from edgechat import system
from edgechat.chat.errors import HistoryChanged
from edgechat.history.reader import File

FLAGS = system.O_RDWR | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW


def reopen(path: Path, file: File, last: bytes) -> tuple[int, int]:
    """Open it under the same descriptor, and cut off what is behind its `last` stored line.

    Returns its identity. Raises `OSError`, and `HistoryChanged` where that line is not at its end.
    """
    fd = system.open(path, FLAGS)
    system.dup2(fd, file.fd, inheritable=False)  # whoever reads it meanwhile goes on
    system.close(fd)
    end = last + b"\n"
    if system.pread(file.fd, len(end), file.end - len(end)) != end:
        raise HistoryChanged("the file has lost lines")
    system.ftruncate(file.fd, file.end)
    system.fsync(file.fd)
    return identity(system.fstat(file.fd))


def identity(stat: system.stat_result) -> tuple[int, int]:
    """By which a file is known, whatever its name."""
    return stat.st_dev, stat.st_ino
