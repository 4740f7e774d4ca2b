"""The door: one port. Upgrades for rooms go to `websocket`, all else to Hypercorn and the app.

Each connection contains its own failures: what goes wrong in one ends that one.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.chat.origin import parse_origin
from edgechat.net.acceptor import Acceptor
from edgechat.net.budget import Budgets
from edgechat.net.caller import Caller
from edgechat.net.client_address import client_address, counted_address, is_loopback, is_trusted
from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.handshake import shake_hands
from edgechat.net.head_reader import HeadReader
from edgechat.net.hosts import Hosts
from edgechat.net.linger import linger
from edgechat.net.poller import Poller
from edgechat.net.proxy_notice import ProxyNotice
from edgechat.net.refused import STOPPING, TOO_MANY_ROOMS, Refused
from edgechat.net.request_head import Head
from edgechat.net.reserve import Reserve
from edgechat.net.statistics import ListenerStatistics
from edgechat.net.websocket import WebSocket
from edgechat.rooms.defects import contain
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_ABNORMAL = 1006  # a WebSocket that ended without a close frame of ours: RFC 6455, section 7.1.5

ServeHttp = Callable[[socket.socket, Head], Awaitable[None]]


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
        """`allowance` gives an address's. Raises `ValueError`: a wrong allowed origin."""
        self._origins = {parse_origin(text) for text in settings.allowed_origins}
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
        self.limits = ConnectionLimits(settings)
        self._budgets = Budgets(settings)
        self._hosts = Hosts(settings)
        self._notice = ProxyNotice()
        self._reserve = Reserve(settings.spare_descriptors)
        self._accepted = 0
        self._refused: Counter[str] = Counter()
        self._closes: Counter[int] = Counter()

    async def accept(self, listening: socket.socket, nursery: trio.Nursery) -> NoReturn:
        """Accept for ever; each connection is a task in `nursery`."""
        loopback = is_loopback(listening.getsockname()[0])

        def welcome(connection: socket.socket, peer: str) -> None:
            self._accepted += 1
            trusted = self._settings.trusted_proxies
            caller = Caller(connection, peer, loopback, is_trusted(peer, trusted))
            nursery.start_soon(self._serve, caller, name="connection")

        try:
            self._reserve.fill()
            await Acceptor(listening, welcome, self._reserve).run()
        finally:
            self._reserve.close()

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
            self.limits.statistics(),
            self._budgets.statistics(),
            len(self.websockets),
            sum(websocket.sender.waiting for websocket in self.websockets),
            dict(self._closes),
        )

    async def _serve(self, caller: Caller) -> None:
        """One connection, from its accepting to its end."""
        await self._contain(caller)
        self._reserve.fill()

    async def _contain(self, caller: Caller) -> None:
        with caller.connection, contain("a connection"), suppress(OSError):  # the client is gone
            caller.connection.setblocking(False)
            if not caller.is_passed_on:
                caller.counted = counted_address(caller.peer, self._settings.trusted_proxies)
            try:
                self.limits.enter(caller.counted, trio.current_time())
            except Refused as refused:
                return self._refuse(caller, refused)  # too many: there is no time to linger
            try:
                caller.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._part(caller)
            finally:
                self.limits.leave(caller.counted, page=caller.for_page)

    async def _part(self, caller: Caller) -> None:
        connection = caller.connection
        try:
            request = await self._heads.read(connection)
            if request is None:
                return
            self._hosts.check(request, loopback=caller.loopback and not caller.is_passed_on)
            if caller.is_passed_on:
                self._claim(caller, request)
            if caller.counted is not None and request.is_for_page:
                caller.for_page = self.limits.move_to_page(caller.counted, trio.current_time())
            self._notice.look(caller, request)
            if request.wants_websocket:
                await self._serve_websocket(caller, request)
            else:
                await self._serve_http(connection, request)
                await linger(connection, self._settings.linger_timeout)
        except Refused as refused:
            self._refuse(caller, refused)
            await linger(connection, self._settings.linger_timeout)

    def _claim(self, caller: Caller, request: Head) -> None:
        """Only now it is known for whom a proxy speaks. Raises `Refused`."""
        trusted = self._settings.trusted_proxies
        counted = counted_address(self._client(caller.peer, request), trusted)
        if counted is not None:
            self.limits.claim(counted, trio.current_time())
            caller.counted = counted

    def _client(self, peer: str, request: Head) -> str:
        header = self._settings.proxy_header
        return client_address(peer, header, request.values(header), self._settings.trusted_proxies)

    def _refuse(self, caller: Caller, refused: Refused) -> None:
        """The answer fits into any socket's empty buffer."""
        self._refused[refused.reason.word] += 1
        caller.connection.send(refused.reason.answer)

    async def _serve_websocket(self, caller: Caller, request: Head) -> None:
        handshake = shake_hands(request, self._ids, self._origins)
        if self._stopping:
            raise Refused(STOPPING)
        try:
            room = self._rooms.get(handshake.key)
        except Full:
            raise Refused(TOO_MANY_ROOMS) from None
        allowance = self._allowance(self._client(caller.peer, request))
        budget = self._budgets.of(caller.counted)
        caller.connection.send(handshake.answer)  # it fits, too
        try:
            async with trio.open_nursery() as nursery:
                settings, rest = self._settings, request.rest
                websocket = WebSocket(caller.connection, nursery, settings, rest, budget)
                self.websockets[websocket] = None
                with self._poller.watch(websocket):
                    await be_member(websocket, room, allowance, self._settings)
                nursery.cancel_scope.cancel()
            await websocket.finish()
        finally:
            self.websockets.pop(websocket, None)
            self._closes[websocket.close_code or _ABNORMAL] += 1
            self._left.set()
