"""A damaged history costs what is damaged: it starts, says what it found, and serves the rest."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.serving.files import HEADER, chain, header, make_lines, write
from tests.serving.running import Running, serving
from tests.serving.talking import check_honesty, talk
from tests.serving.wire import SOON, Wire, hello, open_wire

LINES = make_lines(12, ids=True)
MIDDLE = 6  # the index of the line that is damaged


def test_the_protocols_own_example() -> None:
    body = b'{"seq":1,"timestamp":1763880000123,"name":"alice","message":"hi","id":"c1"'
    line = body + b',"h":"cb9bb2ac255d77ea"}'
    assert chain("0011223344556677", line) == "cb9bb2ac255d77ea"


async def told(server: Running, room: str) -> tuple[list[dict[str, Any]], Wire]:
    """All that a v2 client is told of a room's history."""
    wire = await open_wire(server.port, room)
    await wire.send(hello("bob", v=2, backlog=1_000))
    events = []
    while "ready" not in (event := await wire.event()):
        if "seq" in event:
            events.append(event)
    return events, wire


async def goes_on(wire: Wire, seq: int) -> None:
    """The next message is the next line, also where its id was used in a line that is gone."""
    await wire.say("new", id="new")
    assert (await wire.until("id", "new"))["seq"] == seq


def shown(line: bytes) -> dict[str, Any]:
    event = json.loads(line)
    assert isinstance(event, dict)
    return event


async def test_a_tail_torn_at_every_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = write(tmp_path / "cut-0000", LINES)
    cuts = range(len(whole) - sum(len(line) + 1 for line in LINES[-3:]), len(whole) + 1)
    (tmp_path / "rooms/public").mkdir(parents=True)
    for cut in cuts:
        named = whole.replace(b"cut-0000", b"cut-%04d" % cut)
        assert len(named) == len(whole)
        (tmp_path / f"rooms/public/cut-{cut:04}.jsonl").write_bytes(named[:cut])
    async with serving(tmp_path) as server:
        for cut in cuts:
            whole_lines = sum(
                len(header("cut-0000")) + sum(len(line) + 1 for line in LINES[:n]) - 1 <= cut
                for n in range(1, len(LINES) + 1)
            )
            with trio.fail_after(SOON):
                events, wire = await told(server, f"cut-{cut:04}")
                assert events == [shown(line) for line in LINES[:whole_lines]], cut
                await goes_on(wire, whole_lines + 1)
            wire.close()
            assert server.lines(f"cut-{cut:04}")[:-1] == LINES[:whole_lines]
            torn = whole[cut - 1 : cut] != b"\n"
            assert torn == (f"In the history of room 'cut-{cut:04}' a " in caplog.text)


async def test_a_header_torn_at_every_byte(tmp_path: Path) -> None:
    """Nothing is in the file, so the room begins: also where the tear makes it look like more."""
    whole = header("cut-0000")
    (tmp_path / "rooms/public").mkdir(parents=True)
    for cut in range(len(whole) - 1):
        name = f"cut-{cut:04}"
        (tmp_path / f"rooms/public/{name}.jsonl").write_bytes(header(name)[:cut])
    async with serving(tmp_path) as server:
        for cut in range(len(whole) - 1):
            with trio.fail_after(SOON):
                events, wire = await told(server, f"cut-{cut:04}")
                assert events == [], cut
                await goes_on(wire, 1)
            wire.close()


@pytest.mark.parametrize("wrong", [1, 0x80, "newline", "quote", "zero"])
async def test_each_byte_of_a_middle_line_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: int | str
) -> None:
    lines = [line + b"\n" for line in LINES]
    size = len(lines[MIDDLE])
    for at in range(size):
        damaged = bytearray(lines[MIDDLE])
        byte = damaged[at] ^ wrong if isinstance(wrong, int) else BYTES[wrong]
        damaged[at] = byte
        path = tmp_path / f"rooms/public/at-{at}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            header(f"at-{at}") + b"".join([*lines[:MIDDLE], bytes(damaged), *lines[MIDDLE + 1 :]])
        )
    async with serving(tmp_path) as server:
        for at in range(size):
            file = server.file(f"at-{at}")
            before = file.read_bytes()
            unchanged = before == header(f"at-{at}") + b"".join(lines)
            good = [shown(line) for line in LINES]
            if at < size - 1 and not unchanged:
                good[MIDDLE] = {"seq": MIDDLE + 1, "kind": "lost"}
            with trio.fail_after(SOON):
                events, wire = await told(server, f"at-{at}")
                assert events == good, (at, before.splitlines()[MIDDLE + 1])
                await goes_on(wire, len(LINES) + 1)
            wire.close()
            assert file.read_bytes().startswith(before)
            await _history_has(server, f"at-{at}", good, after=(0, 5, 6, 7)[at % 4])
            reported = f"1 of the last lines in the history of room 'at-{at}' are damaged"
            assert (reported in caplog.text) == (good[MIDDLE].get("kind") == "lost")


BYTES = {"newline": 0x0A, "quote": 0x22, "zero": 0}


async def _history_has(server: Running, room: str, good: list[dict[str, Any]], after: int) -> None:
    """A page of it shows every good line, and nothing else."""
    page = await server.get(f"/api/room/{room}/history?after={after}&limit=1000")
    expected = [event for event in good[after:] if "message" in event]
    assert [json.loads(line) for line in page.body.splitlines()][:-1] == expected


async def test_each_byte_of_the_last_line_damaged(tmp_path: Path) -> None:
    size = len(LINES[-1]) + 1
    for at in range(size):
        path = tmp_path / f"rooms/public/at-{at}.jsonl"
        damaged = bytearray(write(path, LINES))
        damaged[at - size] ^= 1
        path.write_bytes(damaged)
    async with serving(tmp_path) as server:
        for at in range(size):
            good = [shown(line) for line in LINES]
            if at < size - 1:
                good[-1] = {"seq": len(LINES), "kind": "lost"}
            with trio.fail_after(SOON):
                events, wire = await told(server, f"at-{at}")
                assert events == good, at
                await goes_on(wire, len(LINES) + 1)
            wire.close()


@pytest.mark.parametrize("zeros", [1, 100, 4_096, 200_000])
async def test_a_tail_of_zeros(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, zeros: int
) -> None:
    whole = write(tmp_path / "rooms/public/lobby.jsonl", LINES)
    (tmp_path / "rooms/public/lobby.jsonl").write_bytes(whole + bytes(zeros))
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            events, wire = await told(server, "lobby")
            assert events == [shown(line) for line in LINES]
            await goes_on(wire, len(LINES) + 1)
        assert f"a torn last line of {zeros} bytes was cut off" in caplog.text
        assert server.lines()[:-1] == LINES


@pytest.mark.parametrize("content", [b"", HEADER[:30], bytes(500), HEADER[:30] + bytes(50)])
async def test_a_file_without_a_whole_header_is_as_good_as_none(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "rooms/public/lobby.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            events, wire = await told(server, "lobby")
            assert events == []
            await goes_on(wire, 1)
        assert shown(server.file().read_bytes().splitlines()[0])["room"] == "lobby"


async def test_each_byte_of_the_header_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    size = len(header("at-000-000"))
    version = HEADER.index(b"1")
    rooms = [(at, flip) for at in range(size) for flip in (1, 0x80) if (at, flip) != (version, 1)]
    for at, flip in rooms:
        path = tmp_path / f"rooms/public/at-{at:03}-{flip:03}.jsonl"
        damaged = bytearray(write(path, LINES))
        damaged[at] ^= flip
        path.write_bytes(damaged)
    async with serving(tmp_path) as server:
        for at, flip in rooms:
            with trio.fail_after(SOON):
                events, wire = await told(server, f"at-{at:03}-{flip:03}")
                good = [shown(line) for line in LINES]
                assert events[1:] == good[1:], (at, flip)
                # Where base.h is another one, nothing vouches for the first line.
                assert events[0] in (good[0], {"seq": 1, "kind": "lost"})
                await goes_on(wire, len(LINES) + 1)
            wire.close()
            assert server.file(f"at-{at:03}-{flip:03}").read_bytes().count(LINES[1]) == 1


@pytest.mark.parametrize("first", [3, 6, 11])
@pytest.mark.parametrize("count", [1, 2])
async def test_lines_that_are_gone_or_repeated(tmp_path: Path, first: int, count: int) -> None:
    gone = LINES[:first] + LINES[first + count :]
    repeated = LINES[: first + count] + LINES[first:]
    write(tmp_path / "rooms/public/gone.jsonl", gone)
    write(tmp_path / "rooms/public/repeated.jsonl", repeated)
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            events, _ = await told(server, "gone")
            assert [event for event in events if "message" in event] == [
                shown(line) for line in gone
            ]
            events, _ = await told(server, "repeated")
            assert [event for event in events if "message" in event] == [
                shown(line) for line in LINES
            ]


async def test_the_demos_client_is_shown_no_holes(tmp_path: Path) -> None:
    damaged = [*LINES[:3], b"x" * 90, *LINES[4:]]
    write(tmp_path / "rooms/public/lobby.jsonl", damaged)
    async with serving(tmp_path) as server:
        wire = await open_wire(server.port)
        await wire.send(hello("bob"))
        with trio.fail_after(SOON):
            lines = await wire.lines(12)
        assert lines == [shown(line) for line in LINES[:3] + LINES[4:]]


async def test_a_damaged_private_room_is_reported_without_its_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as server:
        id = (await server.ask("POST", "/api/room")).body.decode()
        damaged = [*LINES[:3], b"x" * 90, *LINES[4:]]
        whole = write(tmp_path / f"rooms/private/{id}.jsonl", damaged)
        (tmp_path / f"rooms/private/{id}.jsonl").write_bytes(whole + b"torn")
        with trio.fail_after(SOON):
            await told(server, id)
    assert caplog.text.count("a private room") == 2
    assert id not in caplog.text
    assert logging.getLogger("edgechat").getEffectiveLevel() <= logging.INFO


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_header_that_hardly_reached_the_disk(tmp_path: Path, durability: str) -> None:
    """After a power loss: one byte of it and a hole is no text in UTF-16."""
    write(tmp_path / "rooms/public/lobby.jsonl", [])
    (tmp_path / "rooms/public/lobby.jsonl").write_bytes(b"{" + bytes(119))
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        await check_honesty(server, talking)
