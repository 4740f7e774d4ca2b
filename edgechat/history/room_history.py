"""One room's history, open: its reading side, its writer, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.hear import Here, News
from edgechat.chat.line import Entry, StoredLine
from edgechat.chat.state import Opened
from edgechat.history import reader
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.id_scan import read_ids
from edgechat.history.syncer import Syncer
from edgechat.history.writer import Writer, reason
from edgechat.settings import Settings

Result = TypeVar("Result")


class History:
    """One room's history, open; `rooms.storage.Log`."""

    __slots__ = (
        "_closed",
        "_on_disk",
        "_settings",
        "_syncer",
        "_users",
        "opened",
        "watch",
        "writer",
    )

    def __init__(
        self, opened: Opened, writer: Writer, watch: FolderWatch, syncer: Syncer, settings: Settings
    ) -> None:
        self.opened = opened
        self._on_disk = settings.durability == "disk"
        self.writer = writer
        self.watch = watch
        self._syncer = syncer
        self._settings = settings
        self._users = 0  # in threads: the file is not closed under them
        self._closed = False

    def is_slow(self) -> bool:
        """Whether an append is for a worker thread: an `fsync`, or a look at the file's end."""
        return self._on_disk or self.writer.suspect

    async def append(self, lines: Sequence[bytes]) -> None:
        """Store lines (without newlines) in a worker thread: all of them, or none.

        Raises `StorageUnavailable`, or `HistoryChanged`: then this is of no more use.
        """
        self._users += 1
        try:
            await system.run_in_thread(self.writer.append, lines)
        finally:
            self._users -= 1
            self._retire()
        if not self._on_disk:
            self._syncer.add(self.writer)

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines after `seq`; see `rooms.storage.Log`."""
        return await self._read((), reader.read, seq, most, self._settings.page_bytes)

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines before `seq`; see `rooms.storage.Log`."""
        return await self._read((), reader.read_before, seq, most, self._settings.page_bytes)

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys of the last lines; see `rooms.storage.Log`."""
        return await self._read({}, read_ids, self.opened.head.seq - depth)

    def heard(self) -> Sequence[StoredLine]:
        """Nothing: a history has one server."""
        return ()

    def news(self) -> Sequence[News]:
        """Nobody is elsewhere."""
        return ()

    def show(self, here: Here) -> None:
        """There is nobody to be shown it."""

    def show_typing(self, name: str) -> None:
        """There is nobody to be shown it."""

    async def reach(self, seq: int) -> None:
        """There is no line that its server has not written."""

    def close(self) -> None:
        """Let go of the file; the syncer closes it when it is synced and nobody reads it."""
        self._closed = True
        self._retire()

    async def _read(self, nothing: Result, read: Callable[..., Result], *args: object) -> Result:
        """What `read` finds in the file as far as it is stored; `nothing` where there is none."""
        if self._closed:
            raise StorageUnavailable("the room has ended")
        if self.writer.file is None:
            return nothing
        self._users += 1
        try:
            return await system.run_in_thread(read, self.writer.file, *args)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        finally:
            self._users -= 1
            self._retire()

    def _retire(self) -> None:
        if self._closed and not self._users and self.writer.file is not None:
            self._syncer.retire(self.writer)
