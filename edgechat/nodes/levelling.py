"""Brings open rooms level with the engine: after a cut, a gap, or an append that came too late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import hiredis
import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.keys import room_of
from edgechat.nodes.level import Ask, level
from edgechat.nodes.room_log import RoomLog

log = logging.getLogger(__name__)

_FORKED = (
    "%s went on otherwise in the engine than here: what was said last here is not in it, and "
    "members are told so (forked). %s"
)


class Levelling:
    """Rooms that are being brought level, each once at a time."""

    def __init__(
        self,
        logs: Mapping[bytes, RoomLog],
        connection: Callable[[], EngineConnection],
        ask: Ask,
        launch: Callable[[RoomLog], None],
    ) -> None:
        """`connection` raises `LinkDown` where there is none; `launch` is told of a level one."""
        self.forks = 0
        self.mended = 0  # lines that the engine lacked
        self.nursery: trio.Nursery  # the storage's, while it runs
        self._logs = logs
        self._connection = connection
        self._ask = ask
        self._launch = launch

    def soon(self, room: RoomLog) -> None:
        """Begin, or begin again. Never waits."""
        if room.is_levelling:
            room.level_again = True
        else:
            room.is_levelling = True
            self.nursery.start_soon(self._bring, room)

    async def now(self, room: RoomLog) -> None:
        """Until it is level, or that has failed: `RoomLog.is_level` says which."""
        room.is_levelling = True
        await self._bring(room)

    async def all(self) -> None:
        """Every open room. Raises `LinkDown`."""
        async with trio.open_nursery() as nursery:
            for room in self._logs.values():
                if room.is_levelling:
                    room.level_again = True
                else:
                    room.is_levelling = True
                    nursery.start_soon(self._bring, room)
        self._connection()

    async def catch_up(self, room: RoomLog) -> None:
        """Until the room has all that was stored when this was asked.

        Raises `StorageUnavailable`.
        """
        try:
            self.mended += await level(self._connection(), room, self._ask)
        except Forked:
            self.soon(room)
        except (LinkDown, hiredis.ReplyError) as failure:
            raise StorageUnavailable(str(failure) or "the engine can't be reached") from None

    async def _bring(self, room: RoomLog) -> None:
        try:
            await self._go(room)
            room.is_level = True
        except LinkDown:
            room.is_level = False  # the next link begins with this
        except Forked as fork:
            self.forks += 1
            log.error(_FORKED, str(room_of(room.keys.room.encode())).capitalize(), fork)
            room.fail(str(fork))
        except (StorageUnavailable, hiredis.ReplyError) as failure:
            room.is_level = False
            key = room_of(room.keys.room.encode())
            if room.has_new_trouble(str(failure)):
                log.error("%s can't be followed: %s", str(key).capitalize(), failure)
        finally:
            room.is_levelling = False
        self._launch(room)

    async def _go(self, room: RoomLog) -> None:
        room.level_again = True
        while room.level_again:
            room.level_again = False
            self.mended += await level(self._connection(), room, self._ask)
