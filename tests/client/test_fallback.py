"""When a room goes on by HTTP: which ways are tried, in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from edgechat.client import Options
from edgechat.client.address import parse_room
from edgechat.client.connection import Frames
from edgechat.client.fallback import Fallback
from edgechat.client.reconnect import Ended

Answer = Callable[[trio.abc.Stream], Awaitable[None]]
HEAD = b'{"room":"lobby","seq":0,"h":"00","members":0}'


def says(status: str, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}".encode()
    return b"HTTP/1.1 %b\r\n%b\r\nConnection: close\r\n\r\n%b" % (status.encode(), length, body)


PROXY = says("403 Forbidden", b"<h1>no</h1>")
DROPPED = says("400 Bad Request", b'{"error":"expected websocket","code":"not_a_websocket"}')
FULL = says("429 Too Many Requests", b'{"error":"full","code":"too_many_requests"}')
THERE = says("200 OK", HEAD)
GONE = says("404 Not Found", b'{"error":"Name too long","code":"not_found"}')
GATEWAY = says("502 Bad Gateway", b"<h1>502</h1>")


async def tries(*answers: bytes) -> tuple[list[str], Ended]:
    """What is asked for, where the server's port answers so, one after the other; and the end."""
    asked: list[str] = []
    left = list(answers)
    ways: list[str] = []

    async def talk(connection: Frames) -> Ended:
        ways.append(type(connection).__name__)
        return Ended(1000)

    async def dial() -> trio.abc.Stream:
        if not left:
            raise OSError("Connection refused")
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(serve, theirs, left.pop(0))
        return ours

    async def serve(stream: trio.abc.Stream, answer: bytes) -> None:
        head = bytes(await stream.receive_some())
        asked.append("websocket" if b"websocket HTTP" in head else "http")
        if answer:
            await stream.send_all(answer)
        else:
            await trio.sleep_forever()

    fallback = Fallback(parse_room("http://h/room/lobby"), dial, Options(connect_timeout=10))
    async with trio.open_nursery() as nursery:
        ended = await fallback.converse(talk)
        nursery.cancel_scope.cancel()
    return [*asked, *ways], ended


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ((PROXY, THERE, PROXY, THERE), ["websocket", "http"] * 2 + ["HttpConnection"]),
        ((DROPPED, THERE, DROPPED, THERE), ["websocket", "http"] * 2 + ["HttpConnection"]),
        ((b"", THERE), ["websocket", "http", "HttpConnection"]),  # silent until its deadline
        ((PROXY, THERE, FULL), ["websocket", "http", "websocket"]),
        ((PROXY, THERE), ["websocket", "http"]),  # then the port is closed: a restart
        ((PROXY, GATEWAY), ["websocket", "http"]),
        ((FULL,), ["websocket"]),
        ((GONE,), ["websocket"]),
        ((), []),
    ],
)
async def test_what_is_tried(
    answers: tuple[bytes, ...], asked: list[str], autojump_clock: trio.testing.MockClock
) -> None:
    found, _ = await tries(*answers)
    assert found == asked


async def test_a_room_that_is_gone_is_said_by_either(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for answers in ((GONE,), (PROXY, GONE)):
        _, ended = await tries(*answers)
        assert (ended.status, ended.error) == (404, "not_found")
