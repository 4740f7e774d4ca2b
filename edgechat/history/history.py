"""Histories on disk: one append-only JSONL file a room (`docs/protocol.md`, History file).

Here they are opened, read and closed; `writer` writes, and `repair` mends their ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Entry
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.history import opening, reader, repair
from edgechat.history.data_folder import DataFolder
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.ids import read_ids
from edgechat.history.reader import File
from edgechat.history.syncer import Syncer
from edgechat.history.writer import FLAGS, Writer, reason
from edgechat.settings import Settings

Result = TypeVar("Result")

log = logging.getLogger(__name__)

_MOVED = "the data folder was moved away, or its lock removed: restart the server"


class Histories:
    """All rooms' histories in one data folder; `rooms.storage.Storage`."""

    def __init__(self, folder: DataFolder, syncer: Syncer, settings: Settings) -> None:
        self._folder = folder
        self._syncer = syncer
        self._settings = settings
        self._watches = [
            FolderWatch(folder.rooms_folder(private=private)) for private in (False, True)
        ]

    def look(self) -> None:
        """Whether names in the folders may have changed; see `rooms.storage.Storage`."""
        for watch in self._watches:
            watch.look()

    @property
    def works(self) -> bool:
        """Whether appends and syncs work now: what was tried last, folder by folder, did."""
        return self._syncer.health.works

    async def check(self) -> bool:
        """`works`, after a trial where it did not: for `readyz`, so that it recovers by itself."""
        return await self._syncer.health.check(self._folder)

    async def open(self, key: RoomKey) -> History:
        """Open a room's history; its end is mended if it is torn. Makes no file."""
        path = self._folder.history(key)
        return await system.run_in_thread(self._open, key, path)

    def _open(self, key: RoomKey, path: Path) -> History:
        try:
            if not self._folder.is_in_place():
                raise StorageUnavailable(_MOVED)
            fd = system.open(path, FLAGS)
        except FileNotFoundError:
            return self._log(key, path, opening.nothing(), None)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        try:
            if self._settings.durability == "disk":
                opening.read_from_disk(fd, path)
            opening.mend(fd, path, key, self._settings)
            return self._opened(key, path, fd)
        except OSError as error:
            system.close(fd)
            raise StorageUnavailable(reason(error)) from None
        except StorageUnavailable:
            system.close(fd)
            raise

    def _opened(self, key: RoomKey, path: Path, fd: int) -> History:
        file = repair.open_file(fd)
        if not file.end:  # not even a header: as good as no file
            system.unlink(path)
            system.close(fd)
            return self._log(key, path, opening.nothing(), None)
        if file.base is None:
            log.error("The header of the history of %s is damaged.", key)
        settings = self._settings
        opened = repair.open_history(file, settings.recent_lines, settings.recent_bytes // 2)
        damaged = sum(entry.line is None for entry in opened.backlog)
        if damaged:
            log.error("%d of the last lines in the history of %s are damaged.", damaged, key)
        opening.warn_of_clock(opened.stamp, key)
        return self._log(key, path, opened, file)

    def _log(self, key: RoomKey, path: Path, opened: Opened, file: File | None) -> History:
        last = opened.backlog[-1].line if opened.backlog else None
        writer = Writer(key, path, opened.base, file, last, self._settings.durability)
        return History(opened, writer, self._watches[key.private], self._syncer, self._settings)


class History:
    """One room's history, open; `rooms.storage.Log`."""

    __slots__ = (
        "_closed",
        "_on_disk",
        "_readers",
        "_settings",
        "_syncer",
        "_watch",
        "_writer",
        "opened",
        "pause",
    )

    def __init__(
        self, opened: Opened, writer: Writer, watch: FolderWatch, syncer: Syncer, settings: Settings
    ) -> None:
        self.opened = opened
        self._on_disk = settings.durability == "disk"
        self.pause = settings.commit_interval if self._on_disk else 0.0
        self._writer = writer
        self._watch = watch
        self._syncer = syncer
        self._settings = settings
        self._readers = 0  # in threads: the file is not closed under them
        self._closed = False

    @property
    def waits(self) -> bool:
        """An `fsync`, or a look at the file's end, is for a worker thread."""
        return self._on_disk or self._writer.suspect

    async def append(self, new: Sequence[bytes]) -> None:
        """Store lines, all or none; see `rooms.storage.Log`."""
        if self.waits:
            await system.run_in_thread(self._writer.append, new)
        else:
            self._writer.append(new)
        if not self._on_disk:
            self._syncer.add(self._writer)

    def append_nowait(self, new: Sequence[bytes]) -> None:
        """Store lines at once, all or none; see `rooms.storage.Log`."""
        self._writer.write(new)
        self._syncer.add(self._writer)

    def confirm(self) -> None:
        """They are where they are looked for; see `rooms.storage.Log`."""
        self._writer.confirm(self._watch.generation)

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines after `seq`; see `rooms.storage.Log`."""
        return await self._read((), reader.read, seq, most, self._settings.page_bytes)

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines before `seq`; see `rooms.storage.Log`."""
        return await self._read((), reader.read_before, seq, most, self._settings.page_bytes)

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys of the last lines; see `rooms.storage.Log`."""
        return await self._read({}, read_ids, self.opened.head.seq - depth)

    def close(self) -> None:
        """Let go of the file; the syncer closes it when it is synced and nobody reads it."""
        self._closed = True
        self._retire()

    async def _read(self, nothing: Result, read: Callable[..., Result], *args: object) -> Result:
        """What `read` finds in the file as far as it is stored; `nothing` where there is none."""
        if self._closed:
            raise StorageUnavailable("the room has ended")
        if self._writer.file is None:
            return nothing
        self._readers += 1
        try:
            return await system.run_in_thread(read, self._writer.file, *args)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        finally:
            self._readers -= 1
            self._retire()

    def _retire(self) -> None:
        if self._closed and not self._readers and self._writer.file is not None:
            self._syncer.retire(self._writer)
