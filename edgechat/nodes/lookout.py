"""Looks for what was said in rooms: nothing is missed, and closed rooms' files are kept up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Any, NoReturn

import hiredis
import trio

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.nodes import keys
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.identity import agree_on_key
from edgechat.nodes.keys import keys_of
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.upkeep import Upkeep, touched_since

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks
_AGAIN = 100  # files at most that are tried again in one of them

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
        key: bytes,
    ) -> None:
        """`logs` are those of open rooms, by channel. `connection` raises `LinkDown`.

        `has` says which files are this process's. `key` is that of all nodes.
        """
        self.has = has
        self._key = key
        self._mark: bytes | None = None  # the engine's, since it was empty last
        self._upkeep = upkeep
        self._logs = logs
        self._connection = connection
        self._level = level
        self._tick = 0.0
        self._is_to_begin_again = False
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

    def begin_again(self) -> None:
        """The engine is another one, whose ticks are not those of before: look at all rooms."""
        self._is_to_begin_again = True

    async def change(self, has: Has) -> None:
        """From now on other files are this process's. Returns when none of the others is used."""
        self.has = has
        async with self._looking:
            self._is_to_begin_again = True  # of those that are new, all are to be looked at

    async def _look(self) -> None:
        await self._find_emptied()
        if self._is_to_begin_again:
            self._tick, self._is_to_begin_again = 0.0, False
        rooms, tick = await touched_since(self._connection(), self._tick)
        rooms = list(dict.fromkeys([*rooms, *self._troubled()]))
        closed = [key for key in rooms if self.has(key) and not self._is_followed(key)]
        self._connection().flush()
        for key in closed:
            if self.has(key):
                await self._upkeep.keep(key)
        self._tick = tick

    def _troubled(self) -> list[RoomKey]:
        """The first files that are to be tried again, of closed rooms that are this process's.

        Others may stay among the troubles for long: they must not fill this list.
        """
        found = (
            key
            for key in self._upkeep.troubles
            if self.has(key) and keys_of(key).channel.encode() not in self._logs
        )
        return list(islice(found, _AGAIN))

    async def _find_emptied(self) -> None:
        """Somebody may have emptied the engine, which goes on: then it gets all rooms again.

        Only those that are open: the others it gets when they are opened. Whoever finds no mark
        there makes one, so that all notice.
        """
        connection = self._connection()
        mark = await connection.request("GET", keys.MARK)
        if mark is None:
            if await agree_on_key(connection, self._key) != self._key:
                connection.cut()  # the next link says why it is of no use
            await connection.request("SET", keys.MARK, system.token_bytes(8).hex(), "NX")
            mark = await connection.request("GET", keys.MARK)
        known, self._mark = self._mark, mark
        if known not in (None, mark):
            log.warning("The engine was emptied: it is given what is said in open rooms again.")
            self.begin_again()
            for room in list(self._logs.values()):
                self._level(room)

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
