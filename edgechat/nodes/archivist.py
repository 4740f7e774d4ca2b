"""Writes what open rooms said into their files, a moment later.

Nobody waits for it: what it does not write yet is in the engine, and in the open room's memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import hiredis
import trio

from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.line import claimed
from edgechat.chat.names import RoomKey
from edgechat.nodes.archives import Archives
from edgechat.nodes.chain import Point, whole
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import LinkDown
from edgechat.nodes.keys import keys_of, room_of
from edgechat.nodes.room_log import RoomLog

log = logging.getLogger(__name__)

_WRITE = 1.0  # seconds between two goes
_LINES = 1_000  # written at once
_PAGE = 1_000  # lines for a sibling
_MOST = 20_000  # lines that a room keeps in memory while its file can't be written
_KEPT = 1_000  # lines that a stream keeps beyond what this node has written …
_TRIM = 500  # … give or take


class Archivist:
    """One task that writes."""

    def __init__(
        self,
        archives: Archives,
        logs: Mapping[bytes, RoomLog],
        connection: Callable[[], EngineConnection],
        has: Callable[[RoomKey], bool],
        lacks: Callable[[RoomKey], None],
    ) -> None:
        """`logs` are those of open rooms, by channel. `connection` raises `LinkDown`.

        `has` says which files are this process's; `lacks` is told of a closed room's whose last
        lines could not be written.
        """
        self._archives = archives
        self._has = has
        self._lacks = lacks
        self._logs = logs
        self._connection = connection
        self.level_at = trio.current_time()  # all files had what was said until then
        self.finishing = 0  # rooms that have ended: whoever starts `finish` counts
        self._finished = trio.Event()

    async def write_all(self) -> NoReturn:
        """Write, for ever."""
        while True:
            await trio.sleep(_WRITE)
            now = trio.current_time()
            wanted = [(room, room.pending[-1].seq) for room in self._logs.values() if room.pending]
            async with trio.open_nursery() as nursery:
                for room, _ in wanted:
                    nursery.start_soon(self.write, room)
            if all(room.written >= last for room, last in wanted):
                self.level_at = now

    async def write(self, room: RoomLog) -> None:
        """Write what a room's file lacks, as far as that works."""
        try:
            async with room.writing:
                while room.pending:
                    await self._write_some(room)
                    room.has_new_trouble("")
                    await trio.lowlevel.checkpoint()
        except HistoryChanged as failure:
            log.error("The file of %s was changed by others: %s", _named(room), failure)
            room.fail(str(failure))
        except LinkDown:
            pass  # a new file's header is there
        except (StorageUnavailable, hiredis.ReplyError) as failure:
            if room.has_new_trouble(f"file: {failure}"):
                log.error("What is said in %s is not in its file yet: %s", _named(room), failure)
            if len(room.pending) > _MOST:
                room.fail("its file can't be written")

    async def _write_some(self, room: RoomLog) -> None:
        if room.archive is None:
            key = room_of(room.keys.room.encode())
            header = await self._connection().request("HGET", room.keys.meta, "header")
            await self._archives.begin(key, header or await room.header())
            room.archive = await self._archives.open(key)
        some = list(room.pending)[:_LINES]
        lines = [entry.line for entry in some if entry.line is not None]
        last = some[-1]
        h = claimed(lines[-1])
        assert h is not None
        before = room.written
        await room.archive.write(lines, Point(last.seq, h))
        for _ in some:
            room.pending.popleft()
        if before // _TRIM != last.seq // _TRIM:
            self._trim(room, last.seq - _KEPT)

    def _trim(self, room: RoomLog, seq: int) -> None:
        """The engine need not keep for ever what is in files."""
        if seq > 0:
            words = ("XTRIM", room.keys.stream, "MINID", "~", f"{seq}-0")
            self._connection().call(lambda reply: None, *words)

    async def finish(self, room: RoomLog, give_back: Callable[[], None]) -> None:
        """The room has ended: its last lines go to its file, and that is given back."""
        try:
            await self.write(room)
        finally:
            if room.archive is not None:
                room.archive.close()
            give_back()
            if room.pending:
                self._lacks(room_of(room.keys.room.encode()))
            self.finishing -= 1
            self._finished.set()

    async def finish_all(self) -> None:
        """Until the files of rooms that have ended have their last lines, and are closed."""
        while self.finishing:
            self._finished = trio.Event()
            await self._finished.wait()

    async def read_page(self, key: RoomKey, after: int) -> Sequence[bytes]:
        """For a sibling: a page of lines after that one, as far as they are whole."""
        room = self._logs.get(keys_of(key).channel.encode())
        if room is None and not self._has(key):
            return ()  # whichever process has it answers
        try:
            if room is not None:
                return whole(await room.entries(after, _PAGE))
            async with self._archives.hold(key):
                archive = await self._archives.open(key)
                try:
                    return whole(await archive.entries(after, _PAGE))
                finally:
                    archive.close()
        except StorageUnavailable:
            return ()


def _named(room: RoomLog) -> str:
    """For the log: never a private room's id."""
    return str(room_of(room.keys.room.encode()))
