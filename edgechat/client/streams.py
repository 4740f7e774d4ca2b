"""Byte streams to a server, and one that says so when it ends too early."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from edgechat.client.address import Server
from edgechat.client.room_options import Options

OpenStream = Callable[[], Awaitable[trio.abc.Stream]]


class HandshakeCut(Exception):
    """The server ended the stream before it answered the handshake."""


async def open_stream(server: Server, options: Options) -> trio.abc.Stream:
    """Connect by TCP, and TLS where the address asks for it. The caller closes the stream.

    Raises `OSError`; a TLS handshake that fails shows at the first use, as
    `trio.BrokenResourceError`.
    """
    if not server.is_secure:
        return await trio.open_tcp_stream(server.host, server.port)
    return await trio.open_ssl_over_tcp_stream(
        server.host, server.port, ssl_context=options.ssl_context, https_compatible=True
    )


class EarlyEnd(trio.abc.Stream):
    """Passes everything through, but raises `HandshakeCut` for an end before `is_open` is set.

    trio-websocket 0.12 takes such an end for granted and goes on waiting for the handshake.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.is_open = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """As the stream's own."""
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError as error:
            await self._check_open(str(error.__cause__ or error))
            raise
        if not data:
            await self._check_open("the server closed the connection before it answered")
        return data

    async def _check_open(self, text: str) -> None:
        # An answer that came just before this end wakes the task which sets `is_open`: its turn.
        await trio.lowlevel.checkpoint()
        if not self.is_open:
            raise HandshakeCut(text)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As the stream's own."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream's own."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """As the stream's own."""
        await self._stream.aclose()
