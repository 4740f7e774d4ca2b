"""One HTTP request on a connection of its own."""

from __future__ import annotations

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


async def request(
    method: str, server: Server, target: str, dial: OpenStream, options: Options
) -> HttpAnswer:
    """Ask, and read the whole answer.

    Raises one of `connection.NETWORK_ERRORS`; of them `trio.TooSlowError` where connecting takes
    longer than `connect_timeout`, or any part of the answer longer than `ping_timeout`.
    """
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", server.authority), ("Content-Length", "0"), ("Connection", "close")]
    asked = http.send(h11.Request(method=method, target=target, headers=headers)) or b""
    asked += http.send(h11.EndOfMessage()) or b""
    with trio.fail_after(options.connect_timeout):
        stream = await dial()
    try:
        with trio.fail_after(options.connect_timeout):
            await stream.send_all(asked)
        return await _receive(http, stream, options)
    finally:
        await trio.aclose_forcefully(stream)


async def _receive(http: h11.Connection, stream: trio.abc.Stream, options: Options) -> HttpAnswer:
    status, headers, body = 0, dict[bytes, bytes](), bytearray()
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
