"""Too many of everything: the door refuses, and goes on when there is room."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from edgechat.net import client_address
from tests.serving.clock import HeldClock
from tests.serving.running import (
    Answer,
    Running,
    asked,
    bystander,
    eventually,
    let_in,
    open_files,
    parse_answer,
    program,
    serving,
)
from tests.serving.wire import PING, PONG, SOON, dial, frame, hello, join, open_wire, say, upgrade

PLAIN = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


async def test_too_many_connections(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=5) as server, bystander(server) as talk:
        held = [await join(server.port, f"member {n}") for n in range(3)]
        refused = await server.get("/livez")
        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        assert await asked(server.port, upgrade("lobby")) == 429
        for _ in range(200):  # who is gone before it is refused harms nobody
            (await dial(server.port)).reset()
        await talk.goes_on()
        held[0].close()
        await eventually_comes_in(server)


async def eventually_comes_in(server: Running) -> None:
    with trio.fail_after(SOON):
        while (await server.get("/livez")).status != 200:
            await trio.lowlevel.checkpoint()


async def test_too_many_connections_of_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_address, "is_loopback", lambda peer: peer == "127.0.0.1")
    limits = {"max_connections_per_address": 2, "max_opened_per_minute": 5}
    async with serving(tmp_path, hosts=("0.0.0.0",), **limits) as server, bystander(server) as talk:
        flood = [await dial(server.port, source="127.0.0.2") for _ in range(2)]
        await let_in(4)
        flood += [await dial(server.port, source="127.0.0.2") for _ in range(2)]
        for wire in flood[2:]:
            with trio.fail_after(SOON):
                assert parse_answer(await wire.rest()).status == 429
        other = await dial(server.port, source="127.0.0.3")
        await other.send(PLAIN + b"\r\n")
        with trio.fail_after(SOON):
            assert parse_answer(await other.rest()).status == 200
        for wire in flood[:2]:
            wire.close()
        await talk.goes_on()
        statuses = [await _status_for(server.port, "127.0.0.2") for _ in range(9)]
        assert statuses.count(200) <= 3, "five in a minute, and two were opened before"
        assert statuses[-1] == 429
        refused = await _answer_for(server.port, "127.0.0.2")
        assert int(refused.headers["retry-after"]) in (5, 60)  # two are open yet, or it is too fast


async def _status_for(port: int, source: str) -> int:
    return (await _answer_for(port, source)).status


async def _answer_for(port: int, source: str) -> Answer:
    wire = await dial(port, source=source)
    with trio.fail_after(SOON):
        with suppress(trio.BrokenResourceError):
            await wire.send(PLAIN + b"\r\n")
        return parse_answer(await wire.rest())


async def test_too_many_rooms(tmp_path: Path) -> None:
    async with serving(tmp_path, max_rooms=2) as server, bystander(server) as talk:
        await join(server.port, "carol", "second")
        assert await asked(server.port, upgrade("third")) == 429
        assert (await server.get("/api/room/third")).status == 503
        await talk.goes_on()


@pytest.mark.parametrize("trusted", [(), ("127.0.0.0/8",)])
async def test_whose_allowance_it_is(tmp_path: Path, trusted: tuple[str, ...]) -> None:
    limits = {"message_interval": 60.0, "message_grace": 0.0}
    async with serving(tmp_path, trusted_proxies=trusted, **limits) as server:
        codes: list[object] = []
        for address in (b"192.0.2.1", b"192.0.2.2", b"198.51.100.9, 192.0.2.1"):
            word = b"X-Forwarded-For: " + address
            made_up = b"Forwarded: for=203.0.113.%d" % len(codes)
            wire = await open_wire(server.port, "lobby", word, made_up)
            await wire.send(hello("carol") + say("hi", id=str(len(codes))))
            with trio.fail_after(SOON):
                answer = await wire.until("id", str(len(codes)))
            codes.append(answer.get("code"))
        second = None if trusted else "rate_limited"
        assert codes == [None, second, "rate_limited"]


async def test_rooms_that_took_all_descriptors_keep_nobody_out(tmp_path: Path) -> None:
    """There are two left, and twenty come and stay."""
    async with program(tmp_path) as server, bystander(server) as talk:
        await server.get("/livez")
        hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]
        few = open_files(server.pid) + 2
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (few, hard))
        for number in range(20):
            await join(server.port, f"member {number}")
        assert (await server.get("/livez")).status == 200
        await talk.goes_on()
        assert server.log().count("connections get some of the reserve") == 1
        assert "No connection can be accepted" not in server.log()


async def test_no_file_descriptors_left(tmp_path: Path) -> None:
    async with program(tmp_path) as server, bystander(server) as talk:
        await server.get("/livez")
        hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]
        few = open_files(server.pid) + 5
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (few, hard))
        crowd = [await dial(server.port) for _ in range(60)]  # 5 and the reserve of 32 are let in
        await eventually(lambda: "No connection can be accepted now" in server.log())
        await talk.goes_on()
        for wire in crowd[:25]:
            wire.close()
        for wire in crowd[25:]:  # they waited at the door
            await wire.send(PLAIN + b"\r\n")
            with trio.fail_after(SOON):
                assert parse_answer(await wire.rest()).status == 200
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert (await server.get("/livez")).status == 200
        assert "Traceback" not in server.log()
        assert server.log().count("No connection can be accepted now") < 5


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_behind_a_proxy_the_limits_hold_by_client(
    tmp_path: Path, header: str, kind: str
) -> None:
    """It was one peer for all of them, and not counted: 300 of 300 were let in."""
    limits = {"max_connections_per_address": 3 if kind == "websocket" else 0}
    limits["max_opened_per_minute"] = 6
    proxy = {"trusted_proxies": ("127.0.0.1",), "proxy_header": header}
    mark = b"X-Forwarded-For: " if header == "X-Forwarded-For" else b"Forwarded: for="

    async def ask(address: bytes) -> int:
        wire = await dial(server.port)
        line = mark + address
        await wire.send(
            upgrade("lobby", line) if kind == "websocket" else PLAIN + line + b"\r\n\r\n"
        )
        with trio.fail_after(SOON):
            return int((await wire.head())[9:12])

    async with serving(tmp_path, **limits, **proxy) as server, bystander(server) as talk:
        good = 101 if kind == "websocket" else 200
        statuses = [await ask(b"192.0.2.1") for _ in range(9)]
        most = 3 if kind == "websocket" else 6
        assert statuses == [good] * most + [429] * (9 - most)
        assert await ask(b"192.0.2.2") == good
        assert [await ask(b"127.0.0.1") for _ in range(9)] == [good] * 9, "the proxy's own"
        await talk.goes_on()


async def test_a_flood_that_is_paid_by_its_address(tmp_path: Path, held_clock: HeldClock) -> None:
    """Two connections of one client share its budget; somebody else's has its own."""
    budget = {"address_frame_rate": 1.0, "address_frame_burst": 20.0, "frame_pause": 60.0}
    async with serving(tmp_path, trusted_proxies=("127.0.0.1",), **budget) as server:
        one, two, other = [
            await open_wire(server.port, room, b"X-Forwarded-For: 192.0.2.%d" % number)
            for room, number in (("a", 1), ("b", 1), ("c", 2))
        ]
        with trio.fail_after(SOON):
            for wire in (one, two, other):
                await wire.send(hello("x"))
                await wire.until("ready")
            await one.send(frame("", PING) * 40)
            for _ in range(32):
                assert (await one.frame())[0] == 0x80 | PONG
            await other.send(frame("", PING) * 10 + frame('{"ping":1}'))
            for _ in range(10):
                assert (await other.frame())[0] == 0x80 | PONG
            await other.until("pong")
            await two.send(frame('{"ping":2}'))
            await two.until("pong")  # it has done nothing yet
            await two.send(frame('{"ping":3}'))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(two.until, "pong", 3)
                for _ in range(12):  # seconds: 32 frames were 12 too many, and its own is one more
                    await trio.testing.wait_all_tasks_blocked(0.02)
                    assert nursery.child_tasks, "it is read from, though its address owes"
                    held_clock.move(1.0)
                await trio.testing.wait_all_tasks_blocked(0.02)
                held_clock.move(1.5)
