"""The door: one port. Upgrades for rooms go to `websocket`, all else to Hypercorn and the app.

Each connection contains its own failures: what goes wrong in one ends that one.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.net.acceptor import Acceptor
from edgechat.net.client_address import client_address, is_loopback, is_trusted, normalise
from edgechat.net.connection_limits import ConnectionLimits, ConnectionLimitsStatistics
from edgechat.net.handshake import Handshake, shake_hands
from edgechat.net.head_reader import HeadReader
from edgechat.net.linger import linger
from edgechat.net.poller import Poller
from edgechat.net.refused import STOPPING, TOO_MANY_ROOMS, Refused
from edgechat.net.request_head import Head
from edgechat.net.websocket import WebSocket
from edgechat.rooms.defects import contain
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_ABNORMAL = 1006  # a WebSocket that ended without a close frame of ours: RFC 6455, section 7.1.5

ServeHttp = Callable[[socket.socket, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ListenerStatistics:
    """What came in, and what became of it. `refused` is by reason, `closes` by the code sent."""

    accepted: int
    refused: Mapping[str, int]
    connections: ConnectionLimitsStatistics
    websockets: int  # open now
    outbox_bytes: int  # that wait for clients to read
    closes: Mapping[int, int]


class Listener:
    """Accepts, reads a request's head, and parts the two ways."""

    def __init__(
        self,
        settings: Settings,
        rooms: Registry[RoomKey, Room],
        ids: PrivateIds,
        allowance: Callable[[str], Spendable],
        serve_http: ServeHttp,
        poller: Poller,
    ) -> None:
        """`allowance` gives an address's; `serve_http` gets a connection and what was read."""
        self.websockets: dict[WebSocket, None] = {}  # the oldest first
        self._heads = HeadReader(settings)
        self._stopping = False
        self._left = trio.Event()  # set when a WebSocket is gone
        self._settings = settings
        self._rooms = rooms
        self._ids = ids
        self._allowance = allowance
        self._serve_http = serve_http
        self._poller = poller
        self._limits = ConnectionLimits(
            settings.max_connections,
            settings.max_connections_per_address,
            settings.max_opened_per_minute,
        )
        self._accepted = 0
        self._refused: Counter[str] = Counter()
        self._closes: Counter[int] = Counter()

    async def accept(self, listening: socket.socket, nursery: trio.Nursery) -> NoReturn:
        """Accept for ever; each connection is a task in `nursery`."""

        def welcome(connection: socket.socket, peer: str) -> None:
            self._accepted += 1
            nursery.start_soon(self._contain, connection, peer, name="connection")

        await Acceptor(listening, welcome).run()

    async def drain(self) -> None:
        """Let nobody in any more; returns when all who were in are gone.

        Other requests are answered meanwhile, so that `/readyz` can say so.
        """
        self._stopping = True
        self._heads.hurry()
        while self.websockets:
            self._left = trio.Event()
            await self._left.wait()
        self._heads.give_up()

    def statistics(self) -> ListenerStatistics:
        """As of now, and since the start."""
        return ListenerStatistics(
            self._accepted,
            dict(self._refused),
            self._limits.statistics(),
            len(self.websockets),
            sum(websocket.sender.waiting for websocket in self.websockets),
            dict(self._closes),
        )

    async def _contain(self, connection: socket.socket, peer: str) -> None:
        """One connection, from its accepting to its end."""
        counted = None if self._is_exempt(peer) else normalise(peer)
        # An `OSError`: the other side is gone.
        with connection, contain("a connection"), suppress(OSError):
            connection.setblocking(False)
            try:
                self._limits.enter(counted, trio.current_time())
            except Refused as refused:  # too many, so there is no time to linger
                self._refuse(connection, refused)
                return
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._part(connection, peer)
            finally:
                self._limits.leave(counted)

    def _is_exempt(self, peer: str) -> bool:
        """Behind a proxy there are many clients; and this machine's own need no limit."""
        return is_loopback(peer) or is_trusted(peer, self._settings.trusted_proxies)

    async def _part(self, connection: socket.socket, peer: str) -> None:
        try:
            request = await self._heads.read(connection)
            if request is not None and request.wants_upgrade:
                await self._serve_websocket(connection, peer, request)
            elif request is not None:
                await self._serve_http(connection, request.text + request.rest)
                await linger(connection, self._settings.linger_timeout)
        except Refused as refused:
            self._refuse(connection, refused)
            await linger(connection, self._settings.linger_timeout)

    def _refuse(self, connection: socket.socket, refused: Refused) -> None:
        """The answer fits into any socket's empty buffer; who does not read it does not get it."""
        self._refused[refused.reason.word] += 1
        connection.send(refused.reason.answer)

    async def _serve_websocket(self, connection: socket.socket, peer: str, request: Head) -> None:
        handshake = shake_hands(request.text, self._ids, self._settings.allowed_origins)
        if self._stopping:
            raise Refused(STOPPING)
        try:
            room = self._rooms.get(handshake.key)
        except Full:
            raise Refused(TOO_MANY_ROOMS) from None
        allowance = self._allowance(self._address(peer, handshake))
        connection.send(handshake.answer)  # it fits, too
        try:
            async with trio.open_nursery() as nursery:
                websocket = WebSocket(connection, nursery, self._settings, request.rest)
                self.websockets[websocket] = None
                with self._poller.watch(websocket):
                    await be_member(websocket, room, allowance, self._settings)
                nursery.cancel_scope.cancel()
            await websocket.finish()
        finally:
            self.websockets.pop(websocket, None)
            self._closes[websocket.close_code or _ABNORMAL] += 1
            self._left.set()

    def _address(self, peer: str, handshake: Handshake) -> str:
        header = self._settings.proxy_header
        values = handshake.headers.get_all(header)
        return client_address(peer, header, values, self._settings.trusted_proxies)
