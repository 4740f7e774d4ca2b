"""A new link to a known engine: all that happens before it counts as up."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import EngineError
from edgechat.nodes.identity import agree_on_key
from edgechat.nodes.levelling import Levelling
from edgechat.nodes.node_rosters import NodeRosters
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.siblings import Siblings

_MENDING = 1.0  # seconds in which all nodes give a changed engine what it lost
_OTHER_KEY = "it belongs to other nodes: their key for private rooms is not this node's"


class Arrival:
    """Brings all that this node has up to an engine that was away."""

    def __init__(
        self,
        key: bytes,
        logs: Mapping[bytes, RoomLog],
        siblings: Siblings,
        levelling: Levelling,
        presence: NodeRosters,
    ) -> None:
        """`key` is that of all nodes; `logs` those of open rooms, by channel."""
        self._key = key
        self._logs = logs
        self._siblings = siblings
        self._levelling = levelling
        self._presence = presence

    async def arrive(self, connection: EngineConnection, changed: bool) -> None:
        """All rooms hear what they missed. `changed`: it is another process than before.

        Raises `EngineError`, `LinkDown`, `hiredis.ReplyError`.
        """
        if await agree_on_key(connection, self._key) != self._key:
            raise EngineError(_OTHER_KEY)
        for room in self._logs.values():
            room.is_level = False
        connection.tell("SUBSCRIBE", *self._siblings.channels, *self._logs)
        await self._levelling.all()
        if changed:  # it may have lost what was said last: nothing new is said meanwhile
            await trio.sleep(_MENDING)
            await self._levelling.all()
        await self._presence.arrive()
