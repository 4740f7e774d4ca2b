"""Pages of history: the file's lines, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from tests.serving.files import make_lines, rechained, write
from tests.serving.running import Bystander, Running, bystander, eventually, open_files, serving
from tests.serving.wire import SOON, dial, join, say

LINES = 2_500
TEXT = "x" * 400


async def test_history_pages_are_the_files_lines_byte_for_byte(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, bystander(server, "elsewhere") as talk:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n} é \u2028 {TEXT}") for n in range(LINES)))
            await alice.lines(LINES)
        await _read_pages(server, server.lines())
        await talk.goes_on()


async def _read_pages(server: Running, lines: list[bytes]) -> None:
    last = len(lines)
    for query, start, end, more in [
        ("", last - 100, last, True),
        ("limit=7", last - 7, last, True),
        (f"before={last + 1}&limit=3", last - 3, last, True),
        (f"before={last + 99}&limit=3", last - 3, last, True),
        ("before=51&limit=50", 0, 50, False),
        ("before=51&limit=49", 1, 50, True),
        ("before=52&limit=50", 1, 51, True),
        ("before=1", 0, 0, False),
        ("before=0", 0, 0, False),
        ("after=0&limit=2", 0, 2, True),
        (f"after={last - 2}", last - 2, last, False),
        (f"after={last - 101}", last - 101, last - 1, True),
        (f"after={last}", 0, 0, False),
        (f"after={last + 99}", 0, 0, False),
        ("around=1000&limit=11", 994, 1005, True),
        ("around=1&limit=3", 0, 3, True),
        (f"around={last}&limit=10", last - 6, last, True),
        ("limit=0&after=5", 5, 6, True),
        ("after=1200&limit=400", 1200, 1600, True),
        ("before=1700&limit=400", 1299, 1699, True),
    ]:
        page = await server.get(f"/api/room/lobby/history?{query}")
        assert page.headers["content-type"].startswith("application/x-ndjson")
        assert page.body == b"".join(line + b"\n" for line in lines[start:end]), query
        assert page.headers["edgechat-more"] == ("true" if more else "false"), query
        assert page.headers.get("edgechat-next") == _next(query, start, end, more), query


def _next(query: str, start: int, end: int, more: bool) -> str | None:
    """Where to go on from: the page has the lines from `start + 1` to `end`."""
    if not more:
        return None
    if "around" in query:
        return f"{start + 1}-{end}"
    return str(end if "after" in query else start + 1)


@pytest.mark.parametrize("rubbish", [b"x" * 90, b"", b"\0" * 90, b'{"seq":7,"kind":"x"}'])
async def test_a_reader_gets_past_a_hole_that_is_longer_than_a_page(
    tmp_path: Path, rubbish: bytes
) -> None:
    lines = make_lines(600)
    holed = [*lines[:149], *[rubbish] * 160, *lines[309:]]
    write(tmp_path / "rooms/public/lobby.jsonl", holed)
    async with serving(tmp_path) as server:
        for direction, place in (("before", "601"), ("after", "0")):
            found: list[bytes] = []
            pages = 0
            while place:
                page = await server.get(f"/api/room/lobby/history?{direction}={place}&limit=100")
                shown = page.body.splitlines()
                found = found + shown if direction == "after" else shown + found
                place = page.headers.get("edgechat-next", "")
                assert page.headers["edgechat-more"] == ("true" if place else "false")
                pages += 1
            assert found == lines[:149] + lines[309:]
            assert pages == 6
        page = await server.get("/api/room/lobby/history?around=230&limit=100")
        assert (page.body, page.headers["edgechat-next"]) == (b"", "180-279")


async def test_records_of_a_later_kind_are_no_hole(tmp_path: Path) -> None:
    """They are in the page as they are in the file; a reader goes on from the last of them."""
    kinds = rechained([line.replace(b'"name":"alice"', b'"kind":"x"') for line in make_lines(30)])
    write(tmp_path / "rooms/public/lobby.jsonl", kinds)
    async with serving(tmp_path) as server:
        page = await server.get("/api/room/lobby/history?after=5&limit=10")
        assert page.body.splitlines() == kinds[5:15]
        assert page.headers["edgechat-next"] == "15"


async def test_all_of_a_history_in_pages_of_any_size(tmp_path: Path) -> None:
    async with serving(tmp_path, page_bytes=20_000) as server:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n} {TEXT * (n % 5)}") for n in range(300)))
            await alice.lines(300)
        for direction, start in (("after", 0), ("before", 301)):
            found: list[bytes] = []
            place, more = start, "true"
            while more == "true":
                page = await server.get(f"/api/room/lobby/history?{direction}={place}&limit=1000")
                assert len(page.body) < 25_000
                lines, more = page.body.splitlines(), page.headers["edgechat-more"]
                found = found + lines if direction == "after" else lines + found
                place = json.loads(lines[-1 if direction == "after" else 0])["seq"]
            assert found == server.lines()


async def test_many_read_long_pages_and_the_room_goes_on(
    server: Running, bystanders: Bystander
) -> None:
    alice = await join(server.port, "alice")
    with trio.fail_after(SOON):
        await alice.send(b"".join(say(f"{n} {TEXT}") for n in range(1_000)))
        await alice.lines(1_001)
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(server.get, "/api/room/lobby/history?limit=1000")
            await bystanders.goes_on()
            await bystanders.goes_on()


@pytest.mark.parametrize("times", [1, 2])
async def test_a_client_that_reads_no_page_is_let_go(tmp_path: Path, times: int) -> None:
    async with (
        serving(tmp_path, stall_timeout=0.2) as server,
        bystander(server, "elsewhere") as talk,
    ):
        write(server.file(), make_lines(600, TEXT))  # nobody else has to take as much in time
        assert (await server.get("/api/room/lobby")).status == 200
        files = open_files()
        lazy = [await dial(server.port, receive_buffer=2_048) for _ in range(5)]
        for wire in lazy:
            await wire.send(
                b"GET /api/room/lobby/history?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                * times
            )
        await talk.goes_on()
        await eventually(lambda: open_files() <= files + len(lazy))  # ours are still open


async def test_a_room_is_open_while_its_page_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path, room_idle=0.0) as server:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.say("hi")
            await alice.until("seq")
        alice.close()
        for _ in range(50):
            page = await server.get("/api/room/lobby/history")
            assert page.body.splitlines() == server.lines()
