"""Asking a server for a new private room."""

from __future__ import annotations

from typing import Any

import h11
import trio

from edgechat.client.address import Server, parse_server, room_url
from edgechat.client.failures import Rejected
from edgechat.client.options import Options
from edgechat.client.streams import open_stream

MAX_ANSWER = 4_096  # bytes; an id has 64
DEFAULTS = Options()


async def new_private_room(url: str, *, options: Options = DEFAULTS) -> str:
    """Ask the server at `url` (`http://127.0.0.1:8080`) for a private room; returns its address.

    The address holds the room's id, which is its only lock: who has it can come in.

    Raises `Rejected` for any answer but 200 and 201; `OSError`, `trio.BrokenResourceError`,
    `trio.TooSlowError` (after `Options.connect_timeout`) where there is none.
    """
    server = parse_server(url)
    with trio.fail_after(options.connect_timeout):
        async with await open_stream(server, options) as stream:
            status, body = await _post(stream, server)
    text = body.decode(errors="replace").strip()
    if status not in (200, 201):
        raise Rejected(status, text)
    return room_url(url, text)


async def _post(stream: trio.abc.Stream, server: Server) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method="POST",
        target=f"{server.prefix}/api/room",
        headers=[("Host", server.authority), ("Content-Length", "0"), ("Connection", "close")],
    )
    await stream.send_all((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    status, body = 0, b""
    while not isinstance(event := await _next(http, stream), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data) and len(body) < MAX_ANSWER:
            body += event.data
    return status, body


async def _next(http: h11.Connection, stream: trio.abc.Stream) -> Any:
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(bytes(await stream.receive_some()))
    return event
