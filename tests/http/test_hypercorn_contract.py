"""What `http/hypercorn_bridge.py` uses of Hypercorn, which calls none of it an interface."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import pytest
import trio
import trio.testing

from edgechat.http.hypercorn_bridge import HypercornBridge
from edgechat.http.prefixed_stream import CONNECTION
from edgechat.net.linger import linger
from edgechat.settings import Settings
from tests.serving.running import Answer, parse_answer
from tests.serving.wire import SOON, Wire

GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class App:
    """An ASGI app that writes down what it is asked."""

    def __init__(self, handler: Handler) -> None:
        self.seen: list[str] = []
        self._handler = handler

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.seen.append(scope["type"])
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        await self._handler(scope, receive, send)


async def answer(send: Send, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Door:
    """Plain HTTP, and connections to it whose first bytes were read already."""

    def __init__(self, http: HypercornBridge, nursery: trio.Nursery) -> None:
        self.http = http
        self._nursery = nursery

    def open(self, early: bytes, receive_buffer: int = 65_536) -> Wire:
        """The client's end."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1)
            ours = socket.socket()
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            ours.connect(listening.getsockname())
            theirs, _ = listening.accept()
        for end in (ours, theirs):
            end.setblocking(False)
        self._nursery.start_soon(self._serve, theirs, early)
        return Wire(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))

    def stop(self) -> None:
        """Whatever goes on is cancelled."""
        self._nursery.cancel_scope.cancel()

    async def _serve(self, connection: socket.socket, early: bytes) -> None:
        with connection:
            head, end, rest = early.partition(b"\r\n\r\n")
            has_body = b"Content-Length" in head or b"Transfer-Encoding" in head
            await self.http.serve(connection, head + end, rest, has_body=has_body)
            await linger(connection, 0.5)

    async def ask(self, early: bytes, late: bytes = b"") -> Answer:
        wire = self.open(early)
        with trio.fail_after(SOON):
            if late:
                await wire.send(late)
            return parse_answer(await wire.rest())


@asynccontextmanager
async def door(handler: Handler, **changes: float) -> AsyncIterator[tuple[Door, App]]:
    app = App(handler)
    settings = Settings(head_bytes=1_000, **{"stall_timeout": 5.0, **changes})  # type: ignore[arg-type]
    http = HypercornBridge(settings)
    async with trio.open_nursery() as lifespan:
        with trio.fail_after(SOON):
            await http.start(app, lifespan)  # type: ignore[arg-type]
            async with trio.open_nursery() as nursery:
                yield Door(http, nursery), app
                Wire.close_all()
        lifespan.cancel_scope.cancel()


async def echo(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await answer(send, body or b"empty")


def test_the_minor_version_that_was_tried() -> None:
    assert version("hypercorn").startswith("0.18.")


async def test_one_lifespan_for_all_connections() -> None:
    async with door(echo) as (tried, app):
        assert [(await tried.ask(GET)).body for _ in range(3)] == [b"empty"] * 3
        assert app.seen == ["lifespan", "http", "http", "http"]


async def test_what_the_app_learns() -> None:
    scopes = []

    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send, b"")

    async with door(handler) as (tried, _):
        assert (await tried.ask(GET)).status == 200
    scope = scopes[0]
    assert (scope["method"], scope["scheme"], scope["path"]) == ("GET", "http", "/a b")
    assert scope["query_string"] == b"c=d"
    assert (b"host", b"localhost") in scope["headers"]
    assert scope["client"][0] == scope["server"][0] == "127.0.0.1"


@pytest.mark.parametrize("early", [POST + b"secret", POST + b"sec", POST])
async def test_a_body_wherever_the_first_bytes_end(early: bytes) -> None:
    async with door(echo) as (tried, _):
        late = (POST + b"secret")[len(early) :]
        assert (await tried.ask(early, late)).body == b"secret"


CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"3\r\nsec\r\n3\r\nret\r\n0\r\nX: y\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [(GET, b""), (POST, b"secret"), (CHUNKED, CHUNKS)],
    ids=["none", "long", "cut"],
)
@pytest.mark.parametrize("behind", [b"\r\n", b"x", GET, b"x" * 100_000])
@pytest.mark.parametrize("when", ["with it", "behind it", "under way"])
async def test_what_stands_behind_a_request_does_not_cost_its_answer(
    head: bytes, body: bytes, behind: bytes, when: str
) -> None:
    asked, told = trio.Event(), trio.Event()

    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        async def send_slowly(event: dict[str, Any]) -> None:
            asked.set()
            if when == "under way":
                await told.wait()
                await trio.testing.wait_all_tasks_blocked()
            await send(event)

        await echo(scope, receive, send_slowly)

    async with door(handler) as (tried, _):
        with trio.fail_after(SOON):
            if when == "with it":
                wire = tried.open(head + body + behind)
            else:
                wire = tried.open(head)
                await wire.send(body if when == "under way" else body + behind)
                if when == "under way":
                    await asked.wait()
                    await wire.send(behind)
                    told.set()
            assert parse_answer(await wire.rest()).body == (b"secret" if body else b"empty")


@pytest.mark.parametrize("when", ["with it", "behind it"])
async def test_a_body_in_crumbs_is_given_up(when: str) -> None:
    """Chunks of a byte cost a thousand times what they hold: 64 KB of them took two seconds."""
    most = Settings().body_pieces
    crumbs = b"1\r\nx\r\n"

    async def tried_with(tried: Door, count: int) -> Answer:
        body = crumbs * count + b"0\r\n\r\n"
        wire = tried.open(CHUNKED + body if when == "with it" else CHUNKED)
        with trio.fail_after(SOON):
            if when == "behind it":
                await wire.send(body)
            return parse_answer(await wire.rest())

    async with door(echo) as (tried, _):
        assert (await tried_with(tried, most - 1)).body == b"x" * (most - 1)
        refused = await tried_with(tried, 10 * most)
        assert refused.status == 413
        assert json.loads(refused.body)["code"] == "request_entity_too_large"


async def test_each_answer_ends_its_connection_whatever_the_client_does() -> None:
    async with door(echo) as (tried, _):
        for request in (GET, POST + b"secret", GET + GET, b"nonsense\r\n\r\n"):
            answered = await tried.ask(request)  # it keeps its end open
            assert answered.headers["connection"] == "close"
            assert "server" not in answered.headers


async def test_a_defect_of_the_app_is_a_500() -> None:
    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        raise RuntimeError("a defect")

    async with door(handler) as (tried, _):
        for request in (GET, POST + b"secret"):
            answered = await tried.ask(request)
            assert answered.status == 500
            assert json.loads(answered.body)["code"] == "internal_server_error"


async def test_who_has_closed_its_half_gets_its_answer() -> None:
    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await trio.testing.wait_all_tasks_blocked()
        await answer(send, b"answer")

    async with door(handler) as (tried, _):
        for early, late in ((GET, b""), (POST + b"secret", b""), (POST, b"secret")):
            wire = tried.open(early)
            await wire.send(late)
            await wire.half_close()
            assert parse_answer(await wire.rest()).body == b"answer"


async def test_who_leaves_cancels_what_is_done_for_them() -> None:
    events = trio.Event(), trio.Event()

    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        events[0].set()
        while (await receive())["type"] != "http.disconnect":
            pass
        events[1].set()

    async with door(handler, last_answer=0.05) as (tried, _):
        wire = tried.open(GET)
        await events[0].wait()
        wire.close()
        await events[1].wait()


@pytest.mark.parametrize("whole", [True, False])
async def test_what_is_cancelled_while_the_head_of_the_answer_is_sent_is_no_defect(
    whole: bool,
) -> None:
    """As the server stops: Hypercorn has begun an answer then, begins another one, and can't."""

    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if whole:
            tried.stop()
        else:
            scope["state"][CONNECTION].life.cancel()
        await answer(send, b"answer")

    async with door(handler) as (tried, app):
        wire = tried.open(GET)
        if not whole:
            await wire.rest()
        await trio.sleep_forever() if whole else None
    assert app.seen == ["lifespan", "http"]


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_connection_that_was_taken_ends_with_nothing_of_hypercorns(leaves: bool) -> None:
    async def handler(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        connection = scope["state"][CONNECTION]
        connection.take().send(b"own words")
        if leaves:
            while (await receive())["type"] != "http.disconnect":
                pass
        await connection.end()

    async with door(handler) as (tried, _):
        wire = tried.open(GET)
        if leaves:
            await wire.half_close()
        with trio.fail_after(SOON):
            assert await wire.rest() == b"own words"


async def endless(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        body = {"type": "http.response.body", "body": b"x" * 500_000, "more_body": True}
        await send(body)


@pytest.mark.parametrize("request_", [GET, GET + GET])
async def test_who_does_not_read_is_given_up(request_: bytes) -> None:
    with trio.fail_after(SOON):
        async with door(endless, stall_timeout=0.1) as (tried, _):
            wire = tried.open(request_, receive_buffer=2_048)
            Wire.opened.discard(wire)  # it stays open: the other side has to end it
        wire.close()


async def test_abort_ends_a_send_that_can_not_be_cancelled() -> None:
    with trio.fail_after(SOON):
        async with door(endless, stall_timeout=1_000) as (tried, _):
            wire = tried.open(GET, receive_buffer=2_048)
            Wire.opened.discard(wire)
            await wire.head()
            await trio.testing.wait_all_tasks_blocked(0.1)
            tried.http.abort()
        wire.close()
