"""An orderly stop, whatever clients do."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.settings import Settings
from tests.serving.files import check
from tests.serving.running import Program, parse_answer, program
from tests.serving.wire import SOON, dial, frame, hello, join, open_wire, say, upgrade

BIG = "x" * 1_900
IN_TIME = Settings().stop_timeout + 10.0  # seconds: less than one who does not read may take
NOT_A_MEMBER = b"GET /livez HTTP/1.1\r\nHost: "


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_in_order_and_a_restart_shows_the_messages(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with program(tmp_path) as first:
        members = [await join(first.port, f"member {n}") for n in range(5)]
        with trio.fail_after(SOON):
            await members[0].send(b"".join(say(f"{n}") for n in range(500)))
            await members[0].lines(500)
            first.process.send_signal(how)
            for wire in members:
                assert await wire.close_code() == 1012
                await wire.send(frame(b"\x03\xf4", 8))
                assert await wire.rest() == b""
                wire.close()
            assert await first.process.wait() == 0
        assert first.log() == ""
    async with program(tmp_path) as second:
        wire = await open_wire(second.port)
        await wire.send(hello("alice", backlog=1_000))
        with trio.fail_after(SOON):
            lines = await wire.lines(500)
        assert [line["message"] for line in lines] == [f"{n}" for n in range(500)]
        wire.close()
        assert await second.stop(how) == 0


async def test_it_stops_in_time_whatever_clients_do(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        reader = await join(server.port, "reader")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader.send, b"".join(say(f"{n} {BIG}") for n in range(3_000)))
            await reader.lines(3_000)
        await _settle_in(server)
        flooder = await open_wire(server.port)
        await flooder.send(hello("flooder") + say("x"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_flood, flooder)
            with trio.fail_after(IN_TIME):
                server.process.send_signal(signal.SIGTERM)
                assert await reader.close_code() == 1012
                assert await server.process.wait() == 0
            nursery.cancel_scope.cancel()
        assert server.log() == ""


async def _settle_in(server: Program) -> None:
    """Those who make it hard to stop: each waits for something in another place."""
    deaf = await open_wire(server.port, receive_buffer=2_048)
    await deaf.send(hello("deaf", backlog=1_000))
    lazy = await dial(server.port, receive_buffer=2_048)
    await lazy.send(b"GET /api/room/lobby/history?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for part in (b"", b"GET / HT", NOT_A_MEMBER):
        await (await dial(server.port)).send(part)
    body = await dial(server.port)
    await body.send(b"POST /api/room HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
    half = await dial(server.port)
    await half.send(b"GET / HT")
    await half.half_close()
    await open_wire(server.port)  # no hello


async def _flood(wire: Any) -> None:
    try:
        while True:
            await wire.send(say("more") * 100)
            await wire.stream.receive_some()
    except trio.BrokenResourceError:
        pass


async def test_an_impatient_second_signal_changes_nothing(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        held = await open_wire(server.port)  # it does not answer the close: this takes a while
        server.process.send_signal(signal.SIGINT)
        with trio.fail_after(SOON):
            assert await held.close_code() == 1012
            server.process.send_signal(signal.SIGINT)
            server.process.send_signal(signal.SIGTERM)
            held.close()
            assert await server.process.wait() == 0
        assert server.log() == ""


async def test_while_it_stops_it_says_so(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        stuck = await join(server.port, "stuck")
        early = await dial(server.port)
        await early.send(NOT_A_MEMBER)
        assert (await server.get("/readyz")).status == 200
        server.process.send_signal(signal.SIGTERM)
        with trio.fail_after(SOON):
            assert await stuck.close_code() == 1012  # and it does not answer
            ready = await server.get("/readyz")
            assert (ready.status, json.loads(ready.body)["code"]) == (503, "unavailable")
            late = await dial(server.port)
            await late.send(upgrade("lobby"))
            assert parse_answer(await late.rest()).status == 503
            await early.send(b"localhost\r\n\r\n")
            assert parse_answer(await early.rest()).status == 200
            stuck.close()
            assert await server.process.wait() == 0
        assert server.log() == ""


@pytest.mark.parametrize("part", [b"", NOT_A_MEMBER])
async def test_connections_that_want_nothing_yet_do_not_hold_it_up(
    tmp_path: Path, part: bytes
) -> None:
    async with program(tmp_path, "--stop-timeout", "60") as server:
        await server.get("/livez")
        dialled = time.monotonic()
        idle = [await dial(server.port) for _ in range(3)]  # as browsers open them in advance
        for wire in idle:
            await wire.send(part)
        await server.get("/livez")
        with trio.fail_after(SOON):
            assert await server.stop() == 0
        assert time.monotonic() - dialled < Settings().head_timeout


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_flood_does_not_keep_it_from_saying_so(tmp_path: Path, durability: str) -> None:
    async with program(tmp_path, "--durability", durability) as server:
        reader = await join(server.port, "reader")
        flooders = [await join(server.port, f"flooder {n}") for n in range(10)]
        async with trio.open_nursery() as nursery:
            for flooder in flooders:
                nursery.start_soon(_flood, flooder)
            await reader.lines(100)
            server.process.send_signal(signal.SIGTERM)
            with trio.fail_after(SOON):
                assert await reader.close_code() == 1012
            nursery.cancel_scope.cancel()
        check(server.stored())
