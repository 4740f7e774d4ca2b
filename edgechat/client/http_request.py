"""HTTP requests, each on a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import h11
import trio

from edgechat.client.address import Server
from edgechat.client.room_options import Options
from edgechat.client.streams import OpenStream

MAX_ANSWER = 16 * 1024 * 1024  # bytes; a page of 1,000 lines, each as long as may be, is 8 MB


class HttpAnswer(NamedTuple):
    """An HTTP answer. Names of headers are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class HttpStream:
    """An answer whose body comes bit by bit. Made and closed by `stream`."""

    def __init__(self, http: h11.Connection, stream: trio.abc.Stream) -> None:
        self._http = http
        self._stream = stream

    async def receive(self) -> bytes | None:
        """Some more of the body, however long that takes; None at its end."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(bytes(await self._stream.receive_some()))
        return bytes(event.data) if isinstance(event, h11.Data) else None


async def request(
    method: str,
    server: Server,
    target: str,
    dial: OpenStream,
    options: Options,
    json: bytes = b"",
) -> HttpAnswer:
    """Ask, with `json` as the body, and read the whole answer.

    Raises one of `connection.NETWORK_ERRORS`; of them `trio.TooSlowError` where connecting takes
    longer than `connect_timeout`, or any part of the answer longer than `ping_timeout`.
    """
    headers = [("Content-Length", str(len(json)))]
    if json:
        headers.append(("Content-Type", "application/json"))
    http = h11.Connection(h11.CLIENT)
    asked = _request(http, method, server, target, headers, json)
    with trio.fail_after(options.connect_timeout):
        stream = await dial()
    try:
        with trio.fail_after(options.connect_timeout):
            await stream.send_all(asked)
        return await _receive(http, stream, options)
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def stream(
    server: Server, target: str, accept: str, dial: OpenStream, options: Options
) -> AsyncIterator[HttpStream | HttpAnswer]:
    """Ask, and read the answer's head; its body, if it is an error's. Raises as `request` does.

    `HttpStream.receive` raises one of `connection.NETWORK_ERRORS`.
    """
    http = h11.Connection(h11.CLIENT)
    asked = _request(http, "GET", server, target, [("Accept", accept)], b"")
    with trio.fail_after(options.connect_timeout):
        opened = await dial()
    try:
        with trio.fail_after(options.connect_timeout):
            await opened.send_all(asked)
            while not isinstance(event := await _next(http, opened, options), h11.Response):
                pass
        if event.status_code == 200:
            yield HttpStream(http, opened)
        else:
            yield await _receive(http, opened, options, event)
    finally:
        await trio.aclose_forcefully(opened)


def _request(
    http: h11.Connection,
    method: str,
    server: Server,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> bytes:
    headers = [("Host", server.authority), ("Connection", "close"), *headers]
    asked = http.send(h11.Request(method=method, target=target, headers=headers)) or b""
    asked += (http.send(h11.Data(data=body)) or b"") if body else b""
    return asked + (http.send(h11.EndOfMessage()) or b"")


async def _receive(
    http: h11.Connection,
    stream: trio.abc.Stream,
    options: Options,
    head: h11.Response | None = None,
) -> HttpAnswer:
    status, headers, body = 0, dict[bytes, bytes](), bytearray()
    if head is not None:
        status, headers = head.status_code, dict(head.headers)
    while not isinstance(event := await _next(http, stream, options), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status, headers = event.status_code, dict(event.headers)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_ANSWER:
                raise h11.RemoteProtocolError("the answer is too long")
    return HttpAnswer(status, headers, bytes(body))


async def _next(http: h11.Connection, stream: trio.abc.Stream, options: Options) -> Any:
    while (event := http.next_event()) is h11.NEED_DATA:
        with trio.fail_after(options.ping_timeout):
            http.receive_data(bytes(await stream.receive_some()))
    return event
