"""`GET /metrics` on an address of its own: plain HTTP/1.1, one request a connection.

It does without the app: numbers are wanted most when there is no room for one more connection.
Heads are bounded in size and time, as at the public port, and so are answers and connections.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from http import HTTPStatus

import trio
from prometheus_client import CONTENT_TYPE_LATEST

from edgechat import system
from edgechat.metrics.collector import render
from edgechat.metrics.loop_lag import LoopLag, add_lags
from edgechat.metrics.reading import Reading
from edgechat.net.acceptor import Acceptor
from edgechat.net.head_reader import HeadReader
from edgechat.net.linger import linger
from edgechat.net.listening import url
from edgechat.net.refused import Refused, refuse
from edgechat.net.request_head import Head
from edgechat.net.reserve import Reserve
from edgechat.rooms.defects import contain
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_MOST = 16  # connections at once: a scraper needs one
_RESERVED = 2  # descriptors: numbers are wanted most when there are no others
_NOT_HERE = refuse("no metrics", HTTPStatus.NOT_FOUND, "There is only /metrics here.", "not_found")
_NOT_SO = refuse(
    "no scrape",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "This address takes GET.",
    "method_not_allowed",
    {"Allow": "GET, HEAD"},
)


async def serve_metrics(
    sockets: Sequence[socket.socket], settings: Settings, read: Callable[[], Reading]
) -> None:
    """Answer scrapes for ever. `read` is called at each, and must not wait."""
    async with trio.open_nursery() as nursery:
        listener = _MetricsListener(settings, read, nursery)
        with closing(listener.reserve):
            nursery.start_soon(listener.lag.run)
            for listening in sockets:
                nursery.start_soon(Acceptor(listening, listener.welcome, listener.reserve).run)
                log.info("Metrics are at %smetrics", url(listening))
            await trio.sleep_forever()


class _MetricsListener:
    def __init__(
        self, settings: Settings, read: Callable[[], Reading], nursery: trio.Nursery
    ) -> None:
        self.lag = LoopLag()
        self.reserve = Reserve(_RESERVED)
        self.reserve.fill()
        self._settings = settings
        self._read = read
        self._nursery = nursery
        self._heads = HeadReader(settings)
        self._open = 0

    def welcome(self, connection: socket.socket, peer: str) -> None:
        """Serve a connection, if there are not too many."""
        if self._open >= _MOST:
            connection.close()
            return
        self._open += 1
        self._nursery.start_soon(self._contain, connection, name="scrape")

    async def _contain(self, connection: socket.socket) -> None:
        try:
            # An `OSError`: the other side is gone.
            with connection, contain("a scrape"), suppress(OSError):
                connection.setblocking(False)
                await self._serve(connection)
        finally:
            self._open -= 1
            self.reserve.fill()

    async def _serve(self, connection: socket.socket) -> None:
        try:
            head = await self._heads.read(connection)
            if head is None:
                return
            answer = await self._answer(head)
        except Refused as refused:
            answer = refused.reason.answer
        with trio.move_on_after(self._settings.stall_timeout) as patience:
            await _send(connection, answer)
        if not patience.cancelled_caught:
            await linger(connection, self._settings.linger_timeout)

    async def _answer(self, head: Head) -> bytes:
        """Raises `Refused`."""
        if head.target.partition("?")[0] != "/metrics":
            raise Refused(_NOT_HERE)
        if head.method not in (b"GET", b"HEAD"):
            raise Refused(_NOT_SO)
        found = self._read()
        lag = add_lags((self.lag.statistics(), *found.lags))
        body = await system.run_in_thread(render, found.numbers, lag, found.workers)
        return _http(b"" if head.method == b"HEAD" else body, len(body))


def _http(body: bytes, length: int) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        f"Content-Type: {CONTENT_TYPE_LATEST}",
        f"Content-Length: {length}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _send(connection: socket.socket, answer: bytes) -> None:
    rest = memoryview(answer)
    while rest:
        try:
            rest = rest[connection.send(rest) :]
        except BlockingIOError:
            await system.wait_writable(connection)
