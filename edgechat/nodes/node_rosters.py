"""Who is where: each node tells the others who is in its rooms, and lives by its beat.

A node tells all who are in a room at once, in a hash of the room's and on its channel; so a lost
push costs nothing but time. Nobody cleans up behind a node that dies: whoever notices that its
beat has ended forgets it, and tells its own members.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

import hiredis
import msgspec
import trio

from edgechat.chat.hear import Others
from edgechat.nodes import keys, scripts
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import LinkDown
from edgechat.nodes.keys import RoomKeys
from edgechat.nodes.room_news import RoomNews

log = logging.getLogger(__name__)

_BEAT = 1.0  # seconds
_LEASE = 5  # seconds, of the engine's clock, that a node lives without a beat
_PACE = 0.1  # seconds in which comings and goings gather
_WHO, _TYPES = b"R", b"T"

_decode = msgspec.json.Decoder(Others).decode
_encode = msgspec.json.Encoder().encode


class NodeRosters:
    """Who is in this node's open rooms, here and on other nodes."""

    def __init__(
        self, boot: str, rooms: Mapping[bytes, RoomNews], connection: Callable[[], EngineConnection]
    ) -> None:
        """`boot` names this node. `rooms` are those that are open, by channel."""
        self._boot = boot
        self._rooms = rooms
        self._connection = connection
        self._alive = {boot}
        self._sure_at = trio.current_time() + _LEASE  # from then on, who is not alive is dead
        self._is_to_compare = False  # with all that is told, as soon as that is sure
        self._changed: dict[RoomKeys, RoomNews | None] = {}  # None: this node has left it
        self._work = trio.Event()

    async def enter(self, room: RoomNews) -> None:
        """A room opens: hear who is there already. Raises `LinkDown`, `hiredis.ReplyError`."""
        found = await self._connection().request("HGETALL", room.keys.roster)
        for others in map(_decode, found.values()):
            if others.server in self._alive or not self._is_sure():
                self._take(room, others)
        room.changed, room.typed = self._show, self._show_typing

    def leave(self, room: RoomNews) -> None:
        """A room has ended."""
        self._changed[room.keys] = None
        self._work.set()

    async def arrive(self) -> None:
        """There is a new link. Raises `LinkDown`, `hiredis.ReplyError`."""
        await self._beat_once()
        self._read_all()
        self._begin_again()

    def _begin_again(self) -> None:
        """What was told over another link may be lost, and others may do the same."""
        for room in self._rooms.values():
            self._show(room)
        self._sure_at = trio.current_time() + _LEASE
        self._is_to_compare = True

    def _read_all(self) -> None:
        """What others told while the link was down is in the rooms' hashes. Raises `LinkDown`."""
        connection = self._connection()
        for room in list(self._rooms.values()):
            connection.call(partial(self._read, room), "HGETALL", room.keys.roster)
        connection.flush()

    def _read(self, room: RoomNews, reply: Any) -> None:
        """Who is in no hash has left; but an engine that forgot is told anew, until it is sure."""
        if isinstance(reply, Exception):
            return
        told = {others.server: others for others in map(_decode, reply.values())}
        if self._is_sure():
            for server in [server for server in room.others if server not in told]:
                self._take(room, Others(server, [], 0))
        for others in told.values():
            if others.server in self._alive:
                self._take(room, others)

    def hear(self, room: RoomNews, data: bytes) -> None:
        """Something was told on a room's channel that is not a line."""
        if data[:1] == _TYPES:
            boot, _, name = data[1:].decode().partition(" ")
            if boot != self._boot:
                room.tell(name)
        elif data[:1] == _WHO:
            self._take(room, _decode(data[1:]))

    async def run(self) -> NoReturn:
        """Tell, for ever."""
        while True:
            await self._work.wait()
            await trio.sleep(_PACE)
            self._work = trio.Event()
            self._tell()

    def _show(self, room: RoomNews) -> None:
        self._changed[room.keys] = room
        self._work.set()

    def _show_typing(self, room: RoomNews, name: str) -> None:
        try:
            connection = self._connection()
        except LinkDown:
            return
        words = ("PUBLISH", room.keys.channel, _TYPES + f"{self._boot} {name}".encode())
        connection.call(_ignore, *words)
        connection.flush()

    def _take(self, room: RoomNews, others: Others) -> None:
        """Tell a room, if it does not know that."""
        server = others.server
        known = room.others.get(server, Others(server, [], 0))
        if server == self._boot or others == known:
            return
        if others.names or others.more:
            room.others[server] = others
        else:
            del room.others[server]
        room.tell(others)

    def _tell(self) -> None:
        try:
            connection = self._connection()
        except LinkDown:
            return  # `arrive` begins again
        changed, self._changed = self._changed, {}
        for place, room in changed.items():
            names, more = room.here() if room is not None and room.here is not None else ([], 0)
            others = _encode(Others(self._boot, names, more))
            done = partial(self._told, place, room)
            if names or more:
                connection.call(done, "HSET", place.roster, self._boot, others)
            else:
                connection.call(done, "HDEL", place.roster, self._boot)
            connection.call(_ignore, "PUBLISH", place.channel, _WHO + others)
        connection.flush()

    def _told(self, place: RoomKeys, room: RoomNews | None, reply: Any) -> None:
        if isinstance(reply, Exception):
            self._changed.setdefault(place, room)
            self._work.set()

    async def beat(self) -> NoReturn:
        """Live, and see who else does, for ever."""
        while True:
            try:
                await self._beat_once()
            except LinkDown:
                pass
            except hiredis.ReplyError as error:
                log.error("The engine does not take this node's beat: %s", error)
            await trio.sleep(_BEAT)

    async def _beat_once(self) -> None:
        request, place = self._connection().request, [keys.NODES]
        lapsed, alive = await scripts.run(request, scripts.BEAT, place, self._boot, _LEASE)
        self._alive = {boot.decode() for boot in alive}
        if lapsed:
            self._begin_again()
        if self._is_sure():
            if self._is_to_compare:
                self._is_to_compare = False
                self._read_all()
            self._forget_the_dead()

    def _forget_the_dead(self) -> None:
        for room in list(self._rooms.values()):
            for server in [server for server in room.others if server not in self._alive]:
                self._take(room, Others(server, [], 0))
                self._connection().call(_ignore, "HDEL", room.keys.roster, server)
        self._connection().flush()

    def _is_sure(self) -> bool:
        return trio.current_time() >= self._sure_at


def _ignore(reply: Any) -> None:
    """Nobody waits for it."""
