"""One connection to an engine: bytes in and out, through TLS where the address says so.

A turn writes without waiting, straight into the socket: waking a task for it would cost more than
all else that a node does for a message. What the socket does not take goes out by a task.
"""

from __future__ import annotations

import socket
import ssl
from typing import NoReturn

import trio

from edgechat import system
from edgechat.nodes.engine_address import EngineAddress

_BLOCK = 256 * 1024


async def open_wire(address: EngineAddress) -> Wire:
    """Connect. Raises `OSError` (also for TLS that fails)."""
    connection = await _connect(address)
    try:
        wire = Wire(connection, _tls(address) if address.tls else None)
        await wire.shake_hands()
    except BaseException:
        connection.close()
        raise
    return wire


async def _connect(address: EngineAddress) -> socket.socket:
    if address.path:
        stream = await trio.open_unix_socket(address.path)
    else:
        stream = await trio.open_tcp_stream(address.host, address.port)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = socket.socket(fileno=stream.socket.detach())
    connection.setblocking(False)
    return connection


class _Tls:
    """TLS without a socket (RFC 8446), by OpenSSL's memory buffers."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)


def _tls(address: EngineAddress) -> _Tls:
    return _Tls(ssl.create_default_context(), address.host)


class Wire:
    """A connected socket. Whoever opened it closes it."""

    def __init__(self, connection: socket.socket, tls: _Tls | None) -> None:
        self._socket = connection
        self._tls = tls
        self._waiting = bytearray()  # that the socket did not take
        self._work = trio.Event()
        self._is_empty = True  # all was read that had come

    async def shake_hands(self) -> None:
        """Agree on TLS, where there is any. Raises `OSError`."""
        while self._tls is not None:
            try:
                self._tls.object.do_handshake()
            except ssl.SSLWantReadError:
                self._send(self._tls.outgoing.read())
                await self._drain()
                self._feed(self._tls, await self._receive())
            else:
                self._send(self._tls.outgoing.read())
                return

    def write(self, data: bytes) -> None:
        """Send, in order. Never waits, never raises: a broken connection is found by reading."""
        if self._tls is not None:
            try:
                self._tls.object.write(data)
            except ssl.SSLError:
                return
            data = self._tls.outgoing.read()
        self._send(data)

    async def read(self) -> bytes:
        """What came, at least one byte; empty where the other side has closed. Raises `OSError`."""
        if self._tls is None:
            return await self._receive()
        while True:
            try:
                return self._tls.object.read(_BLOCK)
            except ssl.SSLWantReadError:
                data = await self._receive()
                if not data:
                    return b""
                self._feed(self._tls, data)
            except ssl.SSLZeroReturnError:
                return b""

    async def write_out(self) -> NoReturn:
        """A task: send what the socket did not take at once. Raises `OSError`."""
        while True:
            await self._work.wait()
            await self._drain()
            self._work = trio.Event()

    def close(self) -> None:
        """End it, at once."""
        self._socket.close()

    def _feed(self, tls: _Tls, data: bytes) -> None:
        if not data:
            raise ConnectionResetError("it ended while TLS was agreed on")
        tls.incoming.write(data)

    def _send(self, data: bytes) -> None:
        sent = 0
        if not self._waiting:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                pass
            except OSError:
                return
        if sent < len(data):
            self._waiting += data[sent:]
            self._work.set()

    async def _drain(self) -> None:
        while self._waiting:
            try:
                del self._waiting[: self._socket.send(self._waiting)]
            except BlockingIOError:
                await system.wait_writable(self._socket)

    async def _receive(self) -> bytes:
        """What is there. It waits first where the last read took all: trying costs a call."""
        while True:
            if self._is_empty:
                await system.wait_readable(self._socket)
            try:
                data = self._socket.recv(_BLOCK)
            except BlockingIOError:
                self._is_empty = True
                continue
            self._is_empty = len(data) < _BLOCK
            if not self._is_empty:
                await trio.lowlevel.checkpoint()
            return data
