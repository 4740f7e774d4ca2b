"""What is done as a room's history is opened. Synchronous: for a worker thread."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Token
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.history import repair
from edgechat.history.data_folder import sync_folder
from edgechat.history.header import refuse_strange
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_AHEAD = 60_000  # ms
_CLOCK = (
    "The last line of %s was written by a clock %d s ahead of this one: "
    "until then, each message bears the time of the one before and 1 ms."
)


def nothing() -> Opened:
    """A history of which there is no file yet: its random base makes it one of its own."""
    base = Token(0, system.token_bytes(8).hex())
    return Opened(base, base, 0, exists=False, backlog=())


def read_from_disk(fd: int, path: Path) -> None:
    """From now on, what is read is what a power loss would leave.

    The file's maker may have died before its name was made to last. And what an `fsync` failed to
    write can still be read, while the next `fsync` succeeds: so the system's copy is let go of.
    """
    system.fsync(fd)
    sync_folder(path.parent)
    system.posix_fadvise(fd, 0, 0, system.POSIX_FADV_DONTNEED)


def mend(fd: int, path: Path, key: RoomKey, settings: Settings) -> None:
    """See to the file's end, and say so in the log.

    Raises `OSError`, and `StorageUnavailable` for a file that is another room's.
    """
    if not stat.S_ISREG(system.fstat(fd).st_mode):
        raise StorageUnavailable("it is not a file")
    refuse_strange(fd, key.name)
    done = repair.mend(fd, path, repair.longest_write(settings))
    for what in done:
        log.warning("In the history of %s %s.", key, what)
    if done and settings.durability == "disk":
        system.fsync(fd)


def warn_of_clock(stamp: int, key: RoomKey) -> None:
    """Say in the log that a room's last `stamp`, ms, is one of a clock that was wrong."""
    if (ahead := stamp - system.now_ms()) > _AHEAD:
        log.warning(_CLOCK, key, ahead // 1000)
