from __future__ import annotations

import gc
from contextlib import suppress

import pytest
import trio
import trio.testing

from edgechat.net import listener
from edgechat.net.websocket import WebSocket
from edgechat.rooms.member import Member as Member
from edgechat.settings import Settings
from tests.serving.clock import HeldClock
from tests.serving.running import (
    Bystander,
    Running,
    asked,
    eventually,
    exchange,
    open_files,
    parse_answer,
    the_listener,
)
from tests.serving.wire import SOON, Wire, dial, hello, upgrade

PLAIN = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


async def answer_to(port: int, request: bytes) -> int:
    """The status, or 0 where the connection is closed without a word."""
    wire = await dial(port)
    with trio.fail_after(SOON):
        with suppress(trio.BrokenResourceError):  # it may answer before it was told everything
            await wire.send(request)
        data = await wire.rest()
    wire.close()
    return parse_answer(data).status if data else 0


@pytest.mark.parametrize("request_", [PLAIN, upgrade("lobby")[:-2]], ids=["plain", "upgrade"])
@pytest.mark.parametrize(
    "headers",
    [
        b"X: " + b"x" * 100_000 + b"\r\n",
        b"".join(b"X-%d: x\r\n" % n for n in range(10_000)),
        b"X: y\r\n x\r\n" * 9_000,
        b"x" * 100_000,
    ],
    ids=["one", "many", "folded", "endless"],
)
async def test_a_hundred_kilobytes_of_headers(
    server: Running, bystanders: Bystander, request_: bytes, headers: bytes
) -> None:
    assert await answer_to(server.port, request_ + headers + b"\r\n") == 431
    await bystanders.goes_on()


async def test_an_answer_outlives_a_client_that_is_still_sending(
    server: Running, held_clock: HeldClock
) -> None:
    wire = await dial(server.port)
    with trio.fail_after(SOON):
        await wire.send(PLAIN + b"X: " + b"x" * 20_000)
        await wire.head()
        for _ in range(20):  # a reset would break one of these
            await wire.send(b"x" * 10_000)
        await wire.half_close()
        assert (await wire.rest()).startswith(b'{"error":"The request\'s headers are too large."')


@pytest.mark.parametrize("place", ["value", "name", "target", "host", "origin", "method"])
@pytest.mark.parametrize("kind", ["plain", "upgrade"])
async def test_every_byte_everywhere_in_a_head(
    server: Running, bystanders: Bystander, place: str, kind: str
) -> None:
    whole = PLAIN + b"\r\n" if kind == "plain" else upgrade("livez")
    old, new = {
        "value": (b"\r\nHost", b"\r\nX: a%cb\r\nHost"),
        "name": (b"\r\nHost", b"\r\nX%cY: a\r\nHost"),
        "target": (b"livez", b"liv%cez"),
        "host": (b"Host: localhost", b"Host: local%chost"),
        "origin": (b"Host", b"Origin: http://local%chost\r\nHost"),
        "method": (b"GET", b"G%cT"),
    }[place]
    for byte in range(256):
        status = await asked(server.port, whole.replace(old, new % byte, 1))
        assert status in (101, 200, 400, 403, 404, 405, 421, 505), byte
    await bystanders.goes_on()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (PLAIN + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n", 200),
        (PLAIN + b"Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n\r\n", 200),
        (PLAIN.replace(b"1.1", b"2.0") + b"\r\n", 505),
        (b"GET /livez HTTP/1.0\r\n\r\n", 200),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (PLAIN + b"Host: localhost\r\n\r\n", 400),
        (upgrade("lobby").replace(b"Host: localhost\r\n", b""), 400),
        (upgrade("", path="http://localhost/api/room/lobby/websocket"), 101),
        (upgrade("", path="http://evil.example/api/room/lobby/websocket"), 421),
        (PLAIN.replace(b"localhost", b"evil.example") + b"\r\n", 421),
        (PLAIN + b"X: y\r\n Upgrade: websocket\r\n\r\n", 400),
        (PLAIN + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (PLAIN + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
        (PLAIN + b"Content-Length: -1\r\n\r\n", 400),
        (PLAIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (PLAIN + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", 100),
        (PLAIN.replace(b"HTTP/1.1", b"HTTP/x.1") + b"\r\n", 400),
        (b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (upgrade("lobby", b"Content-Length: 5") + b"hello", 400),
        (upgrade("lobby", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (upgrade("a%2f..%2fb"), 404),
        (upgrade("x" * 33), 404),
        (upgrade("", path="/api/room"), 404),
        (upgrade("lobby", b"Origin: http://evil.example"), 403),
    ],
)
async def test_odd_requests(
    server: Running, bystanders: Bystander, request_: bytes, status: int
) -> None:
    assert await asked(server.port, request_) == status
    await bystanders.goes_on()


async def test_a_second_request_on_a_connection_is_not_answered(server: Running) -> None:
    answer = await exchange(server.port, (PLAIN + b"\r\n") * 3)
    assert answer.headers["connection"] == "close"
    assert answer.body == b"alive"


async def test_an_upgrade_behind_a_request_gets_nowhere(server: Running) -> None:
    wire = await dial(server.port)
    with trio.fail_after(SOON):
        await wire.send(PLAIN + b"\r\n" + upgrade("lobby") + hello("smuggler"))
        assert b"101" not in (await wire.rest()).splitlines()[0]


@pytest.mark.parametrize("part", [b"", b"G", PLAIN, upgrade("lobby")[:-1]])
async def test_slow_heads(
    server: Running, bystanders: Bystander, held_clock: HeldClock, part: bytes
) -> None:
    slow = [await dial(server.port) for _ in range(20)]
    for wire in slow:
        await wire.send(part)
    await eventually(lambda: the_listener().door.waiting == 20)
    held_clock.move(Settings().head_timeout)
    await bystanders.goes_on()
    with trio.fail_after(SOON):
        for wire in slow:
            assert parse_answer(await wire.rest()).status == 408


async def test_drops_of_a_head_do_not_make_the_time_longer(
    server: Running, held_clock: HeldClock
) -> None:
    """One comes each second, and none of them begins the time anew."""
    wire = await dial(server.port)
    await wire.send(PLAIN)
    await eventually(lambda: the_listener().door.waiting == 1)
    for _ in range(round(Settings().head_timeout)):
        assert the_listener().door.waiting == 1
        await wire.send(b"X")
        await trio.testing.wait_all_tasks_blocked(0.01)
        held_clock.move(1.0)
    with trio.fail_after(SOON):
        assert parse_answer(await wire.rest()).status == 408


async def test_connections_leave_nothing_behind(server: Running, bystanders: Bystander) -> None:
    await server.get("/livez")
    before = living()
    for request in (b"", b"GET", PLAIN, PLAIN + b"\r\n", upgrade("lobby"), b"\xff"):
        for _ in range(20):
            for leave in (Wire.reset, Wire.close):
                wire = await dial(server.port)
                await wire.send(request)
                leave(wire)
    await bystanders.goes_on()
    half = [await dial(server.port) for _ in range(20)]
    for wire, request in zip(
        half, (b"", PLAIN, PLAIN + b"\r\n", upgrade("lobby")) * 5, strict=True
    ):
        await wire.send(request)
        await wire.half_close()
    for wire in half:
        with trio.fail_after(SOON):
            await wire.rest()
        wire.close()
    await bystanders.goes_on()
    await eventually(lambda: all(now <= then for now, then in zip(living(), before, strict=True)))


def living() -> list[int]:
    """What connections are made of, and what knows them: how many there are of each."""
    gc.collect()
    things = gc.get_objects()
    kinds = [type(thing) for thing in things]
    door = the_listener()
    tasks = trio.lowlevel.current_statistics().tasks_living
    tables = len(door.websockets), door.door.waiting, door.statistics().connections.open
    return [open_files(), tasks, kinds.count(WebSocket), kinds.count(Member), *tables]


async def test_a_defect_ends_one_connection(
    server: Running,
    bystanders: Bystander,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(listener, "shake_hands", broken)
        assert await answer_to(server.port, upgrade("lobby")) == 0
    await bystanders.goes_on()
    assert "A defect ended a connection." in caplog.text
    caplog.clear()
