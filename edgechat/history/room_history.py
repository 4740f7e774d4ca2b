"""One room's history, open: its reading side, its writer, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import trio

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.hear import Here, News
from edgechat.chat.line import Entry, StoredLine
from edgechat.chat.state import Opened
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.reopening import reason
from edgechat.history.unwritten import read_after, read_before, read_ids_after, read_lines
from edgechat.history.writer import Writer
from edgechat.settings import Settings

Result = TypeVar("Result")


class Retires(Protocol):
    """Who closes files, once they are synced."""

    def retire(self, writer: Writer) -> None:
        """Nobody uses it any more."""


class History:
    """One room's history, open; `rooms.storage.Log`."""

    __slots__ = (
        "_closed",
        "_closer",
        "_readers",
        "_settings",
        "_users",
        "opened",
        "watch",
        "writer",
    )

    def __init__(
        self,
        opened: Opened,
        writer: Writer,
        watch: FolderWatch,
        closer: Retires,
        readers: trio.CapacityLimiter,
        settings: Settings,
    ) -> None:
        """`readers`: the threads in which people's reading goes on, for all rooms together."""
        self.opened = opened
        self.writer = writer
        self.watch = watch
        self._closer = closer
        self._readers = readers
        self._settings = settings
        self._users = 0  # in threads or commits: the file is not closed under them
        self._closed = False

    def hold(self) -> None:
        """The file is not closed before as many calls of `let_go`."""
        self._users += 1

    def let_go(self) -> None:
        """See `hold`."""
        self._users -= 1
        self._retire()

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines after `seq`; see `rooms.storage.Log`."""
        bound = self._settings.page_bytes
        return await self._read(self._readers, (), read_after, seq, most, bound)

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines before `seq`; see `rooms.storage.Log`."""
        bound = self._settings.page_bytes
        return await self._read(self._readers, (), read_before, seq, most, bound)

    async def lines(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """Single lines, for the room itself; see `rooms.storage.Log`."""
        return await self._read(None, {}, read_lines, seqs)

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys of the last lines; see `rooms.storage.Log`."""
        return await self._read(None, {}, read_ids_after, self.opened.head.seq - depth)

    def heard(self) -> Sequence[StoredLine]:
        """Nothing: a history has one server. Raises `HistoryChanged`, once its file is another."""
        if (changed := self.writer.changed) is not None:
            raise changed
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
        """Let go of the file; it is closed when it is synced and nobody reads it."""
        self._closed = True
        self._retire()

    async def _read(
        self,
        threads: trio.CapacityLimiter | None,
        nothing: Result,
        read: Callable[..., Result],
        *args: object,
    ) -> Result:
        """What `read` finds in what is stored, in the file or not yet; `nothing` without a file."""
        if self._closed:
            raise StorageUnavailable("the room has ended")
        if self.writer.file is None:
            return nothing
        self.hold()
        try:
            unwritten = tuple(self.writer.unwritten)
            return await system.run_in_thread(
                read, self.writer.file, unwritten, *args, limiter=threads
            )
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        finally:
            self.let_go()

    def _retire(self) -> None:
        if self._closed and not self._users and self.writer.file is not None:
            self._closer.retire(self.writer)
