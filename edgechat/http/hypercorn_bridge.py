"""The seam to Hypercorn: one plain connection, served by the Quart-Trio app.

`hypercorn.trio.tcp_server` is no documented interface: its minor version is pinned, and
`tests/http/test_hypercorn_contract.py` holds it to what is used here.
"""

from __future__ import annotations

import socket
from functools import partial
from math import inf

import h11
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState, LifespanState

from edgechat.http.prefixed_stream import CONNECTION, PrefixedStream
from edgechat.http.turnstile import Turnstile
from edgechat.settings import Settings


class HypercornBridge:
    """Serves plain connections with one app, whose lifespan is the server's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.open: set[PrefixedStream] = set()  # the requests that are under way

    async def start(self, app: ASGIFramework, nursery: trio.Nursery) -> None:
        """Start the app's lifespan in `nursery`."""
        settings = self._settings
        self._turnstile = Turnstile(settings.requests_at_once, settings.request_place, nursery)
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

    async def serve(
        self, connection: socket.socket, head: bytes, rest: bytes, *, has_body: bool
    ) -> None:
        """Serve one connection, whose head was read, and the `rest` behind it.

        The caller lets it go, and closes it.
        """
        stream = PrefixedStream(connection, head, self._settings)
        if has_body:
            stream.expect_body(rest)
        stream.let_go = partial(self._turnstile.leave, stream)
        self.open.add(stream)
        try:
            with stream.life:
                await self._turnstile.enter(stream)
                await self._server(stream)
        except* h11.LocalProtocolError:
            # What was cancelled while it sent its answer's head, as the server stops, has broken
            # that off; Hypercorn begins another one, which can't be.
            stops = stream.life.cancel_called or trio.current_effective_deadline() == -inf
            if not stops:
                raise
        finally:
            self._turnstile.leave(stream)
            self.open.discard(stream)

    def abort(self) -> None:
        """Close what is still open: cancelling is not enough where a send is shielded."""
        for stream in list(self.open):
            stream.life.cancel()
            stream.socket.close()
