"""Keeps files level with the engine: at a start, when a room opens, and while it is closed."""

from __future__ import annotations

import logging
from collections.abc import Callable

import hiredis

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.nodes import history_files, keys
from edgechat.nodes.archives import Archive, Archives
from edgechat.nodes.chain import point_of
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.forks import find_common
from edgechat.nodes.keys import keys_of
from edgechat.nodes.level import Ask, level, read_head

log = logging.getLogger(__name__)

_TRIES = 5


class Upkeep:
    """Brings files up to the engine's heads, and the engine up to theirs."""

    def __init__(
        self, archives: Archives, connection: Callable[[], EngineConnection], ask: Ask
    ) -> None:
        """`connection` is the one that is up; it raises `LinkDown` where there is none."""
        self._archives = archives
        self._connection = connection
        self._ask = ask
        self.troubles: dict[RoomKey, str] = {}  # of files that are not kept up: `keep` them again
        self.forks = 0
        self.mended = 0  # lines that the engine lacked

    async def open(self, key: RoomKey) -> Archive | None:
        """A room's file, which is held: open, and level with the engine; None for a new room.

        Raises `StorageUnavailable`, `LinkDown`, `hiredis.ReplyError`.
        """
        for _ in range(_TRIES):
            archive = await self._archives.open(key)
            is_kept = False
            try:
                if archive.is_new:
                    header = await self._connection().request("HGET", archive.keys.meta, "header")
                    if header is None:
                        return None
                    await self._archives.begin(key, header)
                    continue
                try:
                    self.mended += await level(self._connection(), archive, self._ask)
                except Forked:
                    common = await find_common(self._connection(), archive)
                    if common == archive.base:
                        common = None  # another first line, so that the header is another one too
                    self.forks += 1
                    await self._archives.set_aside(key, common, archive.tip.seq)
                    continue
                is_kept = archive.tip == point_of(archive.file.opened.head)
                if is_kept:  # else it is opened anew, with the lines that it got
                    return archive
            finally:
                if not is_kept:
                    archive.close()
        raise StorageUnavailable("its file can't be brought level with the engine")

    async def keep(self, key: RoomKey) -> None:
        """Bring a room's file up that is not open; nothing is done while somebody has the file.

        What goes wrong is logged, once, and is one of the `troubles`.
        """
        try:
            if not self._archives.is_free(key):
                self.lacks(key)
                return
            async with self._archives.hold(key):
                if not await self._is_level(key):
                    archive = await self.open(key)
                    if archive is not None:
                        archive.close()
            self.troubles.pop(key, None)
        except (StorageUnavailable, hiredis.ReplyError, Forked) as failure:
            if self.troubles.pop(key, None) != str(failure):
                log.error("The history of %s can't be kept on this node: %s", key, failure)
            self.troubles[key] = str(failure)  # behind the others: each has its turn

    def lacks(self, key: RoomKey) -> None:
        """A room's file is not kept up: `keep` it when there is time."""
        self.troubles.setdefault(key, "")

    async def keep_all(self, ids: PrivateIds, has: Callable[[RoomKey], bool]) -> None:
        """`keep` every room that has a file; `ids` are those of private rooms.

        `has` says which of them are this process's.

        What fails is logged, and is tried again: see `troubles`.
        """
        try:
            rooms = await system.run_in_thread(self._archives.rooms, ids)
            for key in filter(has, rooms):
                await self.keep(key)
        except (OSError, LinkDown) as failure:
            log.error("This node's files were not all compared to the engine: %s", failure)

    async def _is_level(self, key: RoomKey) -> bool:
        """Whether nothing is to be done, by the file's own word."""
        here = await system.run_in_thread(history_files.last_point, self._archives.path(key))
        return here is not None and here == await read_head(self._connection(), keys_of(key))


async def touched_since(connection: EngineConnection, tick: float) -> tuple[list[RoomKey], float]:
    """Rooms in which something was said after `tick`, and the tick to go on from.

    From the start where the engine's own are behind: it was emptied. Raises `LinkDown`.
    """
    clock = await connection.request("GET", keys.CLOCK)
    if int(clock or 0) < tick:
        tick = 0
    pairs = await connection.request(
        "ZRANGE", keys.TOUCHED, f"({tick:.0f}", "+inf", "BYSCORE", "LIMIT", 0, 1_000, "WITHSCORES"
    )
    rooms = [keys.room_of(room) for room, _ in pairs]
    return rooms, max([tick, *(score for _, score in pairs)])
