"""One file of the journal."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history.journal.commits import SegmentHeader, pack_header

if TYPE_CHECKING:
    from edgechat.history.writer import Writer

_FLAGS = system.O_WRONLY | system.O_APPEND | system.O_CLOEXEC | system.O_NOFOLLOW


class Segment:
    """One file, as far as it may be believed: up to `end`.

    `covers` has the rooms whose files may lack, on the disk, what stands here, and their writers;
    None where only a recovery can help. It goes when it covers nothing.
    """

    def __init__(self, folder: Path, number: int, born: float, end: int = 0) -> None:
        """`born`: when it was begun, by the system's clock."""
        self.number = number
        self.path = folder / f"{number:08}.log"
        self.born = born
        self.end = end
        self.written = end  # bytes; what is behind `end` does not count yet
        self.synced = end
        self._place = str(self.path)
        self.covers: dict[RoomKey, Writer | None] = {}
        self._fd: int | None = None
        self._identity: tuple[int, int] | None = None
        self._is_syncing = self._is_over = False

    def create(self, before: dict[str, int], owner: int | None) -> None:
        """Make the file, with its header. Raises `OSError`."""
        flags = _FLAGS | system.O_CREAT | system.O_EXCL
        self._fd = system.open(self.path, flags, 0o600)
        found = system.fstat(self._fd)
        self._identity = found.st_dev, found.st_ino
        self.append(pack_header(SegmentHeader(self.number, before, owner)))

    def append(self, data: bytes) -> None:
        """Write records. Raises `OSError`."""
        assert self._fd is not None
        if system.write(self._fd, data) < len(data):
            raise OSError("the disk took only a part of it")
        self.written += len(data)

    def sync(self) -> None:
        """Raises `OSError`: then it must be abandoned, as a later success would prove nothing.

        For a worker thread; `close` may be called meanwhile, and has its effect afterwards.
        """
        self._is_syncing, written = True, self.written
        try:
            if self._fd is not None:
                system.fdatasync(self._fd)
                self.synced = written
        finally:
            self._is_syncing = False
            if self._is_over:
                self.close()

    def is_in_place(self) -> bool:
        """Whether the file is where a recovery will look for it. Raises `OSError`."""
        try:
            found = system.stat(self._place, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def take_back(self) -> None:
        """Remove what stands behind `end`, as far as that is possible."""
        if self._fd is not None:
            with suppress(OSError):
                system.ftruncate(self._fd, self.end)

    def close(self) -> None:
        """Write it no more."""
        self._is_over = True
        if self._fd is not None and not self._is_syncing:
            fd, self._fd = self._fd, None
            system.close(fd)

    @property
    def waits_for_sync(self) -> bool:
        """Whether something was written that is not synced, and can be."""
        return self._fd is not None and self.synced < self.written

    def remove(self) -> None:
        """Raises `OSError`."""
        self.close()
        with suppress(FileNotFoundError):  # somebody was faster
            system.unlink(self.path)
