from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.history import reader as lines_module
from tests.serving.files import BASE, HEADER, check, make_lines, write
from tests.serving.running import Running, eventually, open_files, serving
from tests.serving.talking import Broken, resume, said
from tests.serving.wire import SOON, join, say

NOWHERE = {"seq": 0, "h": "0" * 16}
START = {"seq": 0, "h": BASE.decode()}


def token(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    return {"seq": record["seq"], "h": record["h"]}


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_the_file_is_what_the_protocol_says(tmp_path: Path, durability: str) -> None:
    async with serving(tmp_path, durability=durability) as server:
        alice = await join(server.port, "alice")
        assert server.files() == set()
        first = await said(alice, "hi", id="c1")
        second = await said(alice, 'é "quoted" \u2028 🙂 \\ \n\t')
        data = server.stored()
        header, *lines = data.splitlines()
        assert data == b"\n".join([header, *lines, b""])
        assert list(json.loads(header)) == ["edgechat", "room", "created", "base"]
        assert [json.loads(line) for line in lines] == [first, second] == check(server.stored())
        assert list(first) == ["seq", "timestamp", "name", "message", "id", "h"]
        assert 'é \\"quoted\\" \u2028 🙂 \\\\ \\n\\t'.encode() in lines[1]
        assert server.file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_many_say_much_at_once(tmp_path: Path, durability: str) -> None:
    async with serving(tmp_path, durability=durability) as server:
        wires = [await join(server.port, f"member {n}") for n in range(20)]
        with trio.fail_after(SOON):
            for wire in wires:
                await wire.send(b"".join(say(f"{n}") for n in range(50)))
            heard = [await wire.lines(1_000) for wire in wires]
        assert all(lines == heard[0] for lines in heard)
        assert check(server.stored()) == heard[0]


async def test_what_was_shown_is_in_the_file_already(server: Running) -> None:
    alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
    for n in range(200):
        await alice.say(f"{n}")
        await bob.until("message", f"{n}")
        assert server.lines()[-1].find(b'"message":"%d"' % n) > 0
        await alice.until("message", f"{n}")


async def test_resuming_in_a_long_history(tmp_path: Path) -> None:
    lines = make_lines(30_000, ids=True)
    write(tmp_path / "rooms/public/lobby.jsonl", lines)
    async with serving(tmp_path, backlog=5) as server:
        for seq in (30_000, 29_999, 29_990, 28_000, 25_000, 20_001, 20_000):
            got, ready = await resume(server, token(lines[seq - 1]))
            assert (got == lines[seq:], ready["recovered"]) == (True, True), seq
        for since, reason in [
            (token(lines[19_998]), "far"),
            (token(lines[0]), "far"),
            (NOWHERE, "far"),
            (START, "far"),
            ({"seq": 30_001, "h": "0" * 16}, "forked"),
            ({"seq": 29_000, "h": "0" * 16}, "forked"),
            ({"seq": 100, "h": "0" * 16}, "forked"),
            ({"seq": 0, "h": "1" * 16}, "forked"),
            ({**token(lines[28_000]), "seq": 28_000}, "forked"),
        ]:
            got, ready = await resume(server, since)
            assert (ready["recovered"], ready["reason"]) == (False, reason), since
            assert got == lines[-5:]
            assert (ready["seq"], ready["h"]) == tuple(token(lines[-1]).values())


async def test_pages_from_anywhere_in_a_long_history(tmp_path: Path) -> None:
    lines = make_lines(30_000)
    write(tmp_path / "rooms/public/lobby.jsonl", lines)
    async with serving(tmp_path) as server:
        for seq in (0, 1, 2, 3, 500, 511, 512, 10_000, 15_001, 29_998, 29_999, 30_000):
            page = await server.get(f"/api/room/lobby/history?after={seq}&limit=3")
            assert page.body.splitlines() == lines[seq : seq + 3], seq
            page = await server.get(f"/api/room/lobby/history?before={seq + 1}&limit=3")
            assert page.body.splitlines() == lines[max(seq - 3, 0) : seq], seq


async def test_ids_are_known_across_a_restart(tmp_path: Path) -> None:
    lines = make_lines(12_000, ids=True)
    write(tmp_path / "rooms/public/lobby.jsonl", lines)
    async with serving(tmp_path) as server:
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
        for seq in (12_000, 11_000, 2_001):
            assert await said(alice, f"{seq} ", id=f"c{seq}") == json.loads(lines[seq - 1])
            assert (await said(alice, "another", id=f"c{seq}"))["code"] == "id_conflict"
        assert server.lines() == lines
        forgotten = await said(alice, "2000 ", id="c2000")
        assert forgotten["seq"] == 12_001
        assert await bob.until("seq") == forgotten  # the repeats were answered to alice alone


async def test_a_timestamp_never_goes_back(tmp_path: Path) -> None:
    write(tmp_path / "rooms/public/lobby.jsonl", make_lines(3, now=9_999_999_999_999))
    async with serving(tmp_path) as server:
        alice = await join(server.port, "alice")
        for n in range(4, 8):
            assert (await said(alice, "x"))["timestamp"] == 9_999_999_999_999 + n


async def test_a_read_goes_on_while_its_room_ends(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()
    read = lines_module.read

    def slowly(*args: Any) -> Any:
        started.set()
        go_on.wait(SOON)
        return read(*args)

    alice = await join(server.port, "alice")
    await said(alice, "one")
    lines = server.lines()
    monkeypatch.setattr(lines_module, "read", slowly)
    bodies = []

    async def fetch() -> None:
        bodies.append((await server.get("/api/room/lobby/history?after=0")).body)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch)
        await trio.to_thread.run_sync(started.wait)
        server.file().unlink()
        await said(alice, "two")
        with trio.fail_after(SOON):
            assert await alice.close_code() == 1012
        monkeypatch.undo()
        fsync = Broken(monkeypatch, "fsync")
        for n in range(3):  # others take the next file descriptors, and the syncer goes round
            await said(await join(server.port, "alice", f"room-{n}"), "another history")
            await eventually(lambda n=n: fsync.calls > n)  # type: ignore[misc]
        go_on.set()
    assert bodies[0].splitlines() == lines


async def test_no_file_stays_open(tmp_path: Path) -> None:
    async with serving(tmp_path, room_idle=0.0) as server:
        await server.get("/livez")
        before = open_files()
        for n in range(20):
            alice = await join(server.port, "alice", f"room-{n}")
            await said(alice, "hi")
            alice.close()
        await eventually(lambda: open_files() <= before)
        assert len(server.files()) == 20


def test_the_header_that_tests_write_is_the_servers() -> None:
    header = json.loads(HEADER % BASE)
    assert list(header) == ["edgechat", "room", "created", "base"]
