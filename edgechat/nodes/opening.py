"""Opens rooms' logs, level with the engine and subscribed to what is said, and closes them."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial
from hashlib import blake2b

import hiredis
import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import DIGEST_BYTES, Token
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.nodes.archives import Archive, Archives
from edgechat.nodes.archivist import Archivist
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked, LinkDown
from edgechat.nodes.keys import keys_of
from edgechat.nodes.levelling import Levelling
from edgechat.nodes.node_rosters import NodeRosters
from edgechat.nodes.replicas import Replicas
from edgechat.nodes.room_log import RoomLog
from edgechat.nodes.upkeep import Upkeep
from edgechat.rooms.storage import Wake

_GONE = "the engine can't be reached"


class Opening:
    """The beginning and the end of every room's log."""

    def __init__(
        self,
        key: bytes,
        archives: Archives,
        upkeep: Upkeep,
        archivist: Archivist,
        levelling: Levelling,
        presence: NodeRosters,
        replicas: Replicas,
        logs: MutableMapping[bytes, RoomLog],
        connection: Callable[[], EngineConnection],
    ) -> None:
        """`key` is that of all nodes; `logs` those of open rooms, by channel: this keeps them."""
        self.nursery: trio.Nursery  # the storage's, while it runs
        self._key = key
        self._archives = archives
        self._upkeep = upkeep
        self._archivist = archivist
        self._levelling = levelling
        self._presence = presence
        self._replicas = replicas
        self._logs = logs
        self._connection = connection

    async def open(self, key: RoomKey, wake: Wake) -> RoomLog:
        """Open a room's log. Raises `StorageUnavailable`."""
        give_back = await self._archives.take(key)
        try:
            archive = await self._upkeep.open(key)
            return await self._open(key, archive, wake, give_back)
        except (LinkDown, hiredis.ReplyError, Forked) as failure:
            give_back()
            raise StorageUnavailable(str(failure) or _GONE) from None
        except BaseException:
            give_back()
            raise

    async def _open(
        self, key: RoomKey, archive: Archive | None, wake: Wake, give_back: Callable[[], None]
    ) -> RoomLog:
        opened = archive.file.opened if archive else self._nothing(key)
        room = RoomLog(keys_of(key), opened, archive, wake, self._levelling.catch_up)
        if self._replicas.wanted:
            room.hold = partial(self._replicas.hold, room)
        channel = room.keys.channel.encode()
        self._logs[channel] = room
        try:
            self._connection().tell("SUBSCRIBE", channel)
            await self._levelling.now(room)
            if not room.is_level:
                raise StorageUnavailable(_GONE)
            await self._replicas.reach()
            await self._presence.enter(room)
        except BaseException:
            del self._logs[channel]
            if room.archive is not None:
                room.archive.close()
            raise
        room.closed = partial(self._close, give_back)
        return room

    def _nothing(self, key: RoomKey) -> Opened:
        """A room in which nobody spoke: all nodes let it begin from the same place."""
        room = keys_of(key).room.encode()
        base = Token(0, blake2b(room, key=self._key, digest_size=DIGEST_BYTES).hexdigest())
        return Opened(base, base, 0, exists=False, backlog=())

    def _close(self, give_back: Callable[[], None], room: RoomLog) -> None:
        """The room has ended: its last lines go to its file, and that is given back."""
        channel = room.keys.channel.encode()
        del self._logs[channel]
        self._presence.leave(room)
        try:
            connection = self._connection()
        except LinkDown:
            pass
        else:
            connection.tell("UNSUBSCRIBE", channel)
            connection.flush()
        self._archivist.finishing += 1
        self.nursery.start_soon(self._archivist.finish, room, give_back)
