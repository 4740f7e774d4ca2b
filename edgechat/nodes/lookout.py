"""Looks for what was said in rooms: nothing is missed, and closed rooms' files are kept up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

import hiredis
import trio

from edgechat.chat.names import RoomKey
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.keys import keys_of
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.upkeep import Upkeep, touched_since

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks

Has = Callable[[RoomKey], bool]


class Lookout:
    """One task that looks."""

    def __init__(
        self,
        upkeep: Upkeep,
        logs: Mapping[bytes, RoomLog],
        connection: Callable[[], EngineConnection],
        level: Callable[[RoomLog], None],
        has: Has,
    ) -> None:
        """`logs` are those of open rooms, by channel. `connection` raises `LinkDown`.

        `has` says which files are this process's.
        """
        self.has = has
        self._upkeep = upkeep
        self._logs = logs
        self._connection = connection
        self._level = level
        self._tick = 0.0
        self._looking = trio.Lock()

    async def run(self) -> NoReturn:
        """Look, for ever."""
        while True:
            await trio.sleep(_LOOK)
            await self.look()

    async def look(self) -> None:
        """Look once. What goes wrong is logged, or is mended when the link is up again."""
        try:
            async with self._looking:
                await self._look()
        except LinkDown:
            pass  # the next link begins with more than this
        except (hiredis.ReplyError, Forked) as failure:
            log.error("The rooms in the engine can't be looked through: %s", failure)

    async def change(self, has: Has) -> None:
        """From now on other files are this process's. Returns when none of the others is used."""
        self.has = has
        async with self._looking:
            self._tick = 0.0  # of those that are new, all are to be looked at

    async def _look(self) -> None:
        rooms, tick = await touched_since(self._connection(), self._tick)
        closed = [key for key in rooms if self.has(key) and not self._is_followed(key)]
        self._connection().flush()
        for key in closed:
            if self.has(key):
                await self._upkeep.keep(key)
        self._tick = tick

    def _is_followed(self, key: RoomKey) -> bool:
        """Whether that room is open here; then the next `flush` sees that it misses nothing."""
        room = self._logs.get(keys_of(key).channel.encode())
        if room is None:
            return False
        ask = partial(self._compare, room)
        self._connection().call(ask, "HMGET", room.keys.meta, "seq", "h")
        return True

    def _compare(self, room: RoomLog, reply: Any) -> None:
        """What was said before this answer has been heard, unless it was lost on its way."""
        if isinstance(reply, Exception) or room.flight is not None or room.failure is not None:
            return
        if reply != [b"%d" % room.tip.seq, room.tip.hex.encode()]:
            self._level(room)


def every_file(key: RoomKey) -> bool:
    """Whether a file is this process's, where all are."""
    return True


def no_file(key: RoomKey) -> bool:
    """And where none is."""
    return False
