"""Histories on disk: one append-only JSONL file a room (`docs/protocol.md`, History file).

A line is in the file, at the chosen durability, before anybody is shown it. A write that fails
takes back what it wrote; a file that can't be trusted any more is reopened and checked first.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from trio.to_thread import run_sync

from edgechat.core.chatroom import Opened
from edgechat.core.errors import HistoryChanged, StorageUnavailable
from edgechat.core.names import RoomKey
from edgechat.core.record import Entry, Token
from edgechat.edge import lines, repair
from edgechat.edge.folder import Folder, sync_folder
from edgechat.edge.syncer import Syncer
from edgechat.settings import Settings

Result = TypeVar("Result")

log = logging.getLogger(__name__)

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Histories:
    """All rooms' histories in one data folder; `tasks.storage.Storage`."""

    def __init__(self, folder: Folder, syncer: Syncer, settings: Settings) -> None:
        self._folder = folder
        self._syncer = syncer
        self._settings = settings

    async def open(self, key: RoomKey) -> HistoryLog:
        """Open a room's history; its end is mended if it is torn. Makes no file."""
        path = self._folder.history(key)
        return await run_sync(self._open, key, path)

    def _open(self, key: RoomKey, path: Path) -> HistoryLog:
        try:
            fd = os.open(path, _FLAGS)
        except FileNotFoundError:
            return HistoryLog(key, path, self._syncer, self._settings, _nothing(), None)
        except OSError as error:
            raise StorageUnavailable(_reason(error)) from None
        try:
            if self._settings.durability == "disk":
                _read_from_disk(fd, path)
            if done := repair.mend(fd):
                log.warning("In the history of %s %s.", key, done)
                if self._settings.durability == "disk":
                    os.fsync(fd)
            return self._opened(key, path, fd)
        except OSError as error:
            os.close(fd)
            raise StorageUnavailable(_reason(error)) from None

    def _opened(self, key: RoomKey, path: Path, fd: int) -> HistoryLog:
        file = repair.open_file(fd)
        if not file.end:  # not even a header: as good as no file
            os.unlink(path)
            os.close(fd)
            return HistoryLog(key, path, self._syncer, self._settings, _nothing(), None)
        if file.base is None:
            log.error("The header of the history of %s is damaged.", key)
        settings = self._settings
        opened = repair.open_history(file, settings.recent_lines, settings.recent_bytes // 2)
        damaged = sum(entry.line is None for entry in opened.recent)
        if damaged:
            log.error("%d of the last lines in the history of %s are damaged.", damaged, key)
        return HistoryLog(key, path, self._syncer, settings, opened, file)


class HistoryLog:
    """One room's history, open; `tasks.storage.Log`."""

    def __init__(
        self,
        key: RoomKey,
        path: Path,
        syncer: Syncer,
        settings: Settings,
        opened: Opened,
        file: lines.File | None,
    ) -> None:
        self.opened = opened
        self.pause = settings.commit_interval if settings.durability == "disk" else 0.0
        self.suspect = False  # the file has to be reopened and checked before it is written
        self._key = key
        self._path = path
        self._syncer = syncer
        self._settings = settings
        self._file = file
        self._last = opened.recent[-1].line if opened.recent else None  # to know the file by
        self._identity = _identity(os.fstat(file.fd)) if file else None
        self._readers = 0  # in threads: the file is not closed under them
        self._closed = False
        self._name_lasts = False  # not known of an old file either: its maker may have died
        self._created = time.time_ns() // 1_000_000

    async def append(self, new: Sequence[bytes]) -> None:
        """Store lines, all or none; see `tasks.storage.Log`."""
        data = b"\n".join(new) + b"\n"
        if self._settings.durability == "disk" or self.suspect:
            self._file = await run_sync(self._append_checked, data)
        else:
            self._file = self._append(data)
        if self._settings.durability == "os":
            self._syncer.add(self)
        self._last = new[-1]

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines after `seq`; see `tasks.storage.Log`."""
        if self._file is None:
            return ()
        return await self._in_thread(lines.read, self._file, seq, most, self._settings.page_bytes)

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines before `seq`; see `tasks.storage.Log`."""
        if self._file is None:
            return ()
        return await self._in_thread(
            lines.read_before, self._file, seq, most, self._settings.page_bytes
        )

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys of the last lines; see `tasks.storage.Log`."""
        if self._file is None:
            return {}
        return await self._in_thread(lines.read_ids, self._file, self.opened.head.seq - depth)

    def close(self) -> None:
        """Let go of the file; the syncer closes it when it is synced and nobody reads it."""
        self._closed = True
        self._retire()

    # For the syncer, in its thread.

    def sync(self) -> None:
        """Make all that was written last, a new file's name too. Raises `OSError`."""
        if self._file is not None:
            self._sync(self._file)

    def release(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file.fd)

    def __str__(self) -> str:
        return f"the history of {self._key}"

    # Writing. Each of these returns the file as it is then, or raises and leaves it as it was.

    def _append_checked(self, data: bytes) -> lines.File:
        if self.suspect:
            self._reopen()
        file = self._append(data)
        if self._settings.durability == "disk":
            try:
                self._sync(file)
            except OSError as error:
                self._roll_back(file)
                self.suspect = True
                raise StorageUnavailable(_reason(error)) from None
        return file

    def _append(self, data: bytes) -> lines.File:
        file = self._file
        if file is None:
            file = self._create()
            data = self._header() + data
        else:
            self._check_place(file.end)
        try:
            written = os.write(file.fd, data)
        except OSError as error:
            self._roll_back(file)
            raise StorageUnavailable(_reason(error)) from None
        if written < len(data):
            self._roll_back(file)
            raise StorageUnavailable("the disk took only a part of it")
        return file._replace(end=file.end + written)

    def _check_place(self, end: int) -> None:
        """Lines written to a file that was moved away or removed would be seen, and then lost.

        And where others wrote to it or cut it, nobody knows any more where a line begins.
        """
        try:
            found = os.stat(self._path, follow_symlinks=False)
        except FileNotFoundError:
            raise HistoryChanged("the file was moved or removed") from None
        except OSError as error:
            raise StorageUnavailable(_reason(error)) from None
        if _identity(found) != self._identity:
            raise HistoryChanged("the file was replaced")
        if found.st_size != end:
            raise HistoryChanged("the file was written to or cut by others")

    def _create(self) -> lines.File:
        try:
            fd = os.open(self._path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise HistoryChanged("a file appeared in its place") from None
        except OSError as error:
            raise StorageUnavailable(_reason(error)) from None
        self._identity = _identity(os.fstat(fd))
        return lines.File(fd, len(self._header()), 0, self.opened.base)

    def _header(self) -> bytes:
        base = lines.Base(*self.opened.base)
        header = lines.Header(1, self._key.name, self._created, base)
        return msgspec.json.encode(header) + b"\n"

    def _roll_back(self, file: lines.File) -> None:
        """Take back what was written beyond the last stored line; a new file goes altogether."""
        if self._file is None:
            os.close(file.fd)
            with suppress(OSError):
                os.unlink(self._path)
            return
        try:
            os.ftruncate(file.fd, self._file.end)
        except OSError:
            self.suspect = True

    def _sync(self, file: lines.File) -> None:
        os.fsync(file.fd)
        if not self._name_lasts:
            sync_folder(self._path.parent)
            self._name_lasts = True

    def _reopen(self) -> None:
        """After a failure nothing is believed: open the file anew, and look at its end."""
        if self._file is None:
            self.suspect = False
            return
        file = self._file
        try:
            fd = os.open(self._path, _FLAGS)
            os.dup2(fd, file.fd, inheritable=False)  # one who reads it meanwhile is not disturbed
            os.close(fd)
            self._identity = _identity(os.fstat(file.fd))
            last = (self._last or b"") + b"\n"
            if os.pread(file.fd, len(last), file.end - len(last)) != last:
                raise HistoryChanged("the file has lost lines")
            os.ftruncate(file.fd, file.end)
            os.fsync(file.fd)
        except FileNotFoundError:
            raise HistoryChanged("the file is gone") from None
        except OSError as error:
            raise StorageUnavailable(_reason(error)) from None
        self.suspect = False

    async def _in_thread(self, read: Callable[..., Result], *args: object) -> Result:
        if self._closed:
            raise StorageUnavailable("the room has ended")
        self._readers += 1
        try:
            return await run_sync(read, *args)
        except OSError as error:
            raise StorageUnavailable(_reason(error)) from None
        finally:
            self._readers -= 1
            self._retire()

    def _retire(self) -> None:
        if self._closed and not self._readers and self._file is not None:
            self._syncer.retire(self)


def _nothing() -> Opened:
    """A history of which there is no file yet: its random base makes it one of its own."""
    base = Token(0, secrets.token_hex(8))
    return Opened(base, base, 0, exists=False, recent=())


def _read_from_disk(fd: int, path: Path) -> None:
    """From now on, what is read is what a power loss would leave.

    The file's maker may have died before its name was made to last. And what an `fsync` failed to
    write can still be read, while the next `fsync` succeeds: so the system's copy is let go of.
    """
    os.fsync(fd)
    sync_folder(path.parent)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
