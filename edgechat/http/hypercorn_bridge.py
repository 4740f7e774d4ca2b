"""The seam to Hypercorn: one plain connection, served by the Quart-Trio app.

`hypercorn.trio.tcp_server` is no documented interface: its minor version is pinned, and
`tests/http/test_hypercorn_contract.py` holds it to what is used here.
"""

from __future__ import annotations

import socket
from contextlib import suppress

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState, LifespanState

from edgechat.settings import Settings

_PIECE = 64 * 1024
CONNECTION = "edgechat.connection"  # the `PrefixedStream` of a request, in its scope's state


class PrefixedStream(trio.abc.HalfCloseableStream):
    """A connection whose first bytes were read already.

    Closing it ends at once whatever Hypercorn still does for it: Hypercorn closes in the app's
    task when it has cancelled that task already, and then it may wait for ever for a request.
    Sending is bounded: Hypercorn shields its sends from cancellation, so a client that does not
    read would keep a server from ever stopping.
    """

    def __init__(self, connection: socket.socket, early: bytes, settings: Settings) -> None:
        self.life = trio.CancelScope()  # all that is done for it is done in here
        self.socket = trio.socket.from_stdlib_socket(connection)  # Hypercorn asks its addresses
        self._connection = connection
        self._taken = False
        self._stream = trio.SocketStream(self.socket)
        self._early = early
        self._patience = settings.stall_timeout
        self._last_answer = settings.last_answer

    def take(self) -> socket.socket:
        """The connection, for an app that answers by itself: no other answer goes out from now on.

        Whoever takes it neither reads from it nor closes it, and then ends the request.
        """
        self._taken = True
        return self._connection

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What was read already, then what comes."""
        if self._early:
            await trio.lowlevel.checkpoint()
            early, self._early = self._early, b""
            return early
        data = bytes(await self._stream.receive_some(max_bytes))
        if not (
            data or self._taken
        ):  # Hypercorn takes it for leaving, but who will say no more may still read
            await trio.sleep(self._last_answer)
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all, or raise `trio.BrokenResourceError` where the client does not read."""
        if self._taken:
            await trio.lowlevel.checkpoint()
            return
        try:
            await self._send_in_time(memoryview(data))
        except trio.BrokenResourceError:
            self.life.cancel()  # Hypercorn would wait for a read to say so
            raise

    async def _send_in_time(self, view: memoryview) -> None:
        for at in range(0, len(view), _PIECE):
            with trio.move_on_after(self._patience) as patience:
                await self._stream.send_all(view[at : at + _PIECE])
            if patience.cancelled_caught:
                raise trio.BrokenResourceError("the client does not read")

    async def wait_send_all_might_not_block(self) -> None:
        """Until there is room to send."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Nothing more will be sent."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Nothing more will be sent or received; the socket's owner closes it."""
        await self.send_eof()
        self.life.cancel()


class HypercornBridge:
    """Serves plain connections with one app, whose lifespan is the server's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: set[PrefixedStream] = set()

    async def start(self, app: ASGIFramework, nursery: trio.Nursery) -> None:
        """Start the app's lifespan in `nursery`."""
        config = Config()
        config.errorlog = None
        config.include_server_header = False
        config.h11_max_incomplete_size = self._settings.head_bytes
        # A proxy that reuses connections must not send an upgrade into one that Hypercorn holds.
        config.keep_alive_max_requests = 0
        state: LifespanState = {}
        wrapper = ASGIWrapper(app)
        lifespan = Lifespan(wrapper, config, state)
        await nursery.start(lifespan.handle_lifespan)
        await lifespan.wait_for_startup()

        def server(stream: PrefixedStream) -> TCPServer:
            context = WorkerContext(None)
            of_connection = ConnectionState({**state, CONNECTION: stream})
            return TCPServer(wrapper, config, context, of_connection, stream)  # type: ignore[arg-type]

        self._server = server

    async def serve(self, connection: socket.socket, early: bytes) -> None:
        """Serve one connection. The caller lets it go, and closes it."""
        stream = PrefixedStream(connection, early, self._settings)
        self._open.add(stream)
        try:
            with stream.life:
                await self._server(stream)
        finally:
            self._open.discard(stream)

    def abort(self) -> None:
        """Close what is still open: cancelling is not enough where a send is shielded."""
        for stream in list(self._open):
            stream.life.cancel()
            stream.socket.close()
