"""The door: one port. Upgrades for rooms go to `websocket`, all else to Hypercorn and the app.

Each connection contains its own failures: what goes wrong in one ends that one.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat import system
from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.net import request_head
from edgechat.net.client_address import client_address, is_loopback, is_trusted, normalise
from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.handshake import Handshake, shake_hands
from edgechat.net.linger import linger
from edgechat.net.poller import Poller
from edgechat.net.request_head import Head, Refused
from edgechat.net.websocket import WebSocket
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_ACCEPT_AT_ONCE = 64  # then the others have their turn
_LAST_CALL = 1.0  # seconds for the head of a request that comes while the server stops
_BREATH = 0.1  # seconds to wait when there are no file descriptors left
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

ServeHttp = Callable[[socket.socket, bytes], Awaitable[None]]


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
        self._reading: dict[trio.CancelScope, None] = {}  # those who have not sent a whole head
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

    async def accept(self, listening: socket.socket, nursery: trio.Nursery) -> NoReturn:
        """Accept for ever; each connection is a task in `nursery`."""
        said = False  # that none can be accepted: once, and not ten times a second
        while True:
            await system.wait_readable(listening)
            try:
                for _ in range(_ACCEPT_AT_ONCE):
                    connection, peer = listening.accept()
                    nursery.start_soon(self._contain, connection, peer[0], name="connection")
            except BlockingIOError:
                said = False
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    if not said:
                        log.error("No connection can be accepted now: %s", error.strerror)
                    said = True
                    await trio.sleep(_BREATH)

    async def drain(self) -> None:
        """Let nobody in any more; returns when all who were in are gone.

        Other requests are answered meanwhile, so that `/readyz` can say so.
        """
        self._stopping = True
        while self.websockets:
            self._left = trio.Event()
            await self._left.wait()
        for scope in self._reading:
            scope.cancel()

    async def _contain(self, connection: socket.socket, peer: str) -> None:
        """One connection, from its accepting to its end."""
        counted = None if self._is_exempt(peer) else normalise(peer)
        with connection:
            connection.setblocking(False)
            if not self._limits.enter(counted, trio.current_time()):
                with suppress(OSError):
                    _send(connection, request_head.TOO_MANY)
                return
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._part(connection, peer)
            except OSError:
                pass  # the other side is gone
            except Exception:
                log.exception("A defect ended a connection.")
            finally:
                self._limits.leave(counted)

    def _is_exempt(self, peer: str) -> bool:
        """Behind a proxy there are many clients; and this machine's own need no limit."""
        return is_loopback(peer) or is_trusted(peer, self._settings.trusted_proxies)

    async def _part(self, connection: socket.socket, peer: str) -> None:
        try:
            request = await self._read_head(connection)
            if request is not None and request.wants_upgrade:
                await self._serve_websocket(connection, peer, request)
            elif request is not None:
                await self._serve_http(connection, request.text + request.rest)
                await linger(connection)
        except Refused as refused:
            _send(connection, refused.answer)
            await linger(connection)

    async def _read_head(self, connection: socket.socket) -> Head | None:
        """A request's line and headers; None where the other side went. Raises `Refused`."""
        data = b""
        seconds = _LAST_CALL if self._stopping else self._settings.head_timeout
        with trio.move_on_after(seconds) as patience:
            self._reading[patience] = None
            try:
                while True:
                    await system.wait_readable(connection)
                    with suppress(BlockingIOError):
                        data += (more := connection.recv(self._settings.head_bytes))
                        if not more:
                            return None
                        request = request_head.find(data, self._settings.head_bytes)
                        if request is not None:
                            return request
            finally:
                self._reading.pop(patience, None)
        raise Refused(request_head.STOPPING if self._stopping else request_head.TOO_SLOW)

    async def _serve_websocket(self, connection: socket.socket, peer: str, request: Head) -> None:
        handshake = shake_hands(request.text, self._ids, self._settings.allowed_origins)
        if self._stopping:
            raise Refused(request_head.STOPPING)
        try:
            room = self._rooms.get(handshake.key)
        except Full:
            raise Refused(request_head.TOO_MANY) from None
        allowance = self._allowance(self._address(peer, handshake))
        _send(connection, handshake.answer)
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
            self._left.set()

    def _address(self, peer: str, handshake: Handshake) -> str:
        header = self._settings.proxy_header
        values = handshake.headers.get_all(header)
        return client_address(peer, header, values, self._settings.trusted_proxies)


def _send(connection: socket.socket, answer: bytes) -> None:
    """An answer that fits into any socket's empty buffer; who does not read it does not get it."""
    connection.send(answer)


class ListenError(Exception):
    """Nobody can listen there. Its text says why, for a person."""


def listen(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets that listen on every address of `host`, with one port. Raises `ListenError`."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((address[0], port, *address[2:]))
            listening.listen(1024)
            port = listening.getsockname()[1]
    except OSError as error:
        for listening in sockets:
            listening.close()
        reason = (error.strerror or str(error)).lower()
        raise ListenError(f"Can't listen on {host} port {port}: {reason}.") from None
    return sockets
