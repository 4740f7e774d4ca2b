"""One file of the journal. All of it is synchronous."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history.journal_record import SegmentHeader, pack_header

if TYPE_CHECKING:
    from edgechat.history.writer import Writer

_FLAGS = system.O_WRONLY | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW


class Segment:
    """One file, as far as it may be believed: up to `end`, which is what was synced.

    `covers` has the rooms whose files may lack, on the disk, what stands here, and their writers;
    None where only a recovery can help. It goes when it covers nothing.
    """

    def __init__(self, folder: Path, number: int, born: float, end: int = 0) -> None:
        """`born`: when it was begun, by Trio's clock."""
        self.number = number
        self.path = folder / f"{number:08}.log"
        self.born = born
        self.end = end
        self._written = end
        self._place = str(self.path)
        self.covers: dict[RoomKey, Writer | None] = {}
        self._fd: int | None = None
        self._identity: tuple[int, int] | None = None

    def create(self, before: dict[str, int]) -> None:
        """Make the file, with its header. Raises `OSError`."""
        flags = _FLAGS | system.O_CREAT | system.O_EXCL
        self._fd = system.open(self.path, flags, 0o600)
        found = system.fstat(self._fd)
        self._identity = found.st_dev, found.st_ino
        self.append(pack_header(SegmentHeader(self.number, before)))

    def append(self, data: bytes) -> None:
        """Write records, that count once they are synced. Raises `OSError`."""
        assert self._fd is not None
        if system.write(self._fd, data) < len(data):
            raise OSError("the disk took only a part of it")
        self._written += len(data)

    def sync(self) -> None:
        """Raises `OSError`: then it must be abandoned, as a later success would prove nothing."""
        assert self._fd is not None
        system.fdatasync(self._fd)
        self.end = self._written

    def is_in_place(self) -> bool:
        """Whether the file is where a recovery will look for it. Raises `OSError`."""
        try:
            found = system.stat(self._place, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def abandon(self) -> None:
        """Write it no more; what stands behind `end` is taken back, as far as that is possible."""
        if self._fd is not None:
            with suppress(OSError):
                system.ftruncate(self._fd, self.end)
            self.close()

    def close(self) -> None:
        """Write it no more."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            system.close(fd)

    def remove(self) -> None:
        """Raises `OSError`."""
        with suppress(FileNotFoundError):  # somebody was faster
            system.unlink(self.path)
