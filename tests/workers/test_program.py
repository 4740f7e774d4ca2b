"""`edgechat serve --workers 2` as a program: signals, the folder's lock, what is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.workers.messages import FORMAT
from tests.serving.files import check
from tests.serving.running import Program, eventually, open_files, program
from tests.serving.talking import said
from tests.serving.test_stopping import IN_TIME, _flood, _settle_in
from tests.serving.wire import BEGUN, SOON, Wire, dial, hello, join, open_wire, say, upgrade
from tests.workers.conftest import Thread
from tests.workers.processes import children, is_alive
from tests.workers.test_front import PLAIN, room_at

TWO = ("--workers", "2")
ROOMS = [room_at(0), room_at(1)]


def events(server: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (server.data / "server.log").read_text().splitlines()]


async def test_it_stops_in_time_whatever_clients_do(tmp_path: Path) -> None:
    """Some are stuck, one floods, others wait for what never comes: it ends in time."""
    async with program(tmp_path, *TWO) as server:
        members = [await join(server.port, "alice", room) for room in ROOMS]
        for wire in members:
            await wire.send(b"".join(say(f"{n}") for n in range(200)))
            with trio.fail_after(SOON):
                await wire.lines(200)
        await _settle_in(server)
        flooder = await open_wire(server.port)
        await flooder.send(hello("flooder") + say("x"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_flood, flooder)
            server.process.send_signal(signal.SIGTERM)
            with trio.fail_after(IN_TIME):
                for wire in members:
                    assert await wire.close_code() == 1012
                assert await server.process.wait() == 0
            nursery.cancel_scope.cancel()
        assert server.log() == ""
        for room in ROOMS:
            assert len(check(server.stored(room))) == 200


async def test_while_it_stops_it_says_so(tmp_path: Path) -> None:
    async with program(tmp_path, *TWO) as server:
        stuck = await join(server.port, "stuck")
        early = await dial(server.port)
        await early.send(b"GET /livez HTTP/1.1\r\nHost: ")
        assert (await server.get("/readyz")).status == 200
        server.process.send_signal(signal.SIGTERM)
        with trio.fail_after(SOON):
            assert await stuck.close_code() == 1012  # and it does not answer
            ready = await server.get("/readyz")
            assert (ready.status, json.loads(ready.body)["code"]) == (503, "unavailable")
            late = await dial(server.port)
            await late.send(upgrade("lobby"))
            assert (await late.head()).startswith(b"HTTP/1.1 503 ")
            await early.send(b"localhost\r\n\r\n")
            assert (await early.head()).startswith(b"HTTP/1.1 200 ")
            stuck.close()
            assert await server.process.wait() == 0
        assert server.log() == ""


async def test_the_front_is_killed(tmp_path: Path) -> None:
    """The workers stop in order, and the folder is theirs until they have ended."""
    async with program(tmp_path, *TWO) as server:
        pids = children(server.pid)
        assert len(pids) == 2
        members = [await join(server.port, "alice", room) for room in ROOMS]
        for wire in members:
            await said(wire, "hi")
        server.process.kill()
        with trio.fail_after(SOON):
            for wire in members:
                assert await wire.close_code() == 1012
        with pytest.raises(DataFolderError, match="Another EdgeChat server uses the data folder"):
            DataFolder(tmp_path).prepare()
        members[0].close()
        members[1].reset()
        await eventually(lambda: not any(map(is_alive, pids)), BEGUN)
        assert server.log().count("The front has ended") == 2
        assert "critical" not in server.log()
    async with program(tmp_path) as alone:  # another number of workers moves no file
        for room in ROOMS:
            wire = await join(alone.port, "alice", room)
            assert (await said(wire, "again"))["seq"] == 2
        assert await alone.stop() == 0


async def test_hangup_puts_fresh_workers_in_place(tmp_path: Path) -> None:
    """Also without a file of settings; with one, its limits hold then."""
    file = tmp_path / "edgechat.toml"
    file.write_text("workers = 2\nmax-connections = 50\n")
    async with program(tmp_path / "data", "--config", str(file)) as server:
        before = children(server.pid)
        alice = await join(server.port, "alice", ROOMS[0])
        file.write_text("workers = 3\nmax-connections = 1\n")
        server.process.send_signal(signal.SIGHUP)
        with trio.fail_after(BEGUN):
            assert await alice.close_code() == 1012
        alice.close()
        fresh = "Fresh workers have taken the place of all."
        await eventually(lambda: fresh in (server.data / "server.log").read_text(), BEGUN)
        await eventually(lambda: not before & children(server.pid), BEGUN)
        assert len(children(server.pid)) == 2
        with trio.fail_after(SOON):
            held = await join(server.port, "alice", ROOMS[0])
            assert (await server.get("/livez")).status == 429
        held.close()
        messages = [each["message"] for each in events(server)]
        assert "Reloaded: max-connections is 1" in messages
        assert "Changed, but only a restart takes it: workers" in messages
        assert await server.stop() == 0
    assert events(server)[-1]["message"] == "Stopped."


def test_a_worker_that_can_not_start_ends_the_command(tmp_path: Path) -> None:
    """With status 1, and one line that says why."""
    code = (
        "import sys; from edgechat.workers import supervisor\n"
        "supervisor._FIRST_PAUSE = 0.01; supervisor._TRIES = 2\n"
        "from edgechat.workers import front; front.FORMAT = 99\n"
        "from edgechat.cli.main import main; main(sys.argv[1:])"
    )
    options = ["serve", "--port", "0", "--data", str(tmp_path / "data"), *TWO, "--log", "json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *options], capture_output=True, timeout=2 * BEGUN
    )
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last.endswith(
        f"can't start: its code is of format {FORMAT}, the front's of 99: restart all."
    )


async def test_nothing_is_left_of_many_that_were_handed_over(three: Thread) -> None:
    async def come_and_go(count: int) -> None:
        for number in range(count):
            room = f"room{number % 12}"
            wire = await dial(three.port)
            await wire.send(upgrade(room) if number % 2 else PLAIN % room.encode())
            assert (await wire.head())[9:12] in (b"101", b"200")
            wire.close()

    def open_now() -> list[int]:
        return [open_files(pid) for pid in sorted(three.pids)]

    await come_and_go(60)
    await eventually(lambda: not three.open_histories())
    before, ours = open_now(), open_files()
    await come_and_go(600)
    await eventually(lambda: open_now() <= before and open_files() <= ours)
    Wire.close_all()


async def test_a_big_head_with_the_first_frames_behind_it(three: Thread) -> None:
    """What was read goes along: 16 KiB of head, and what came with it."""
    padding = [b"X-Padding-%d: " % n + b"x" * 980 for n in range(15)]
    for room in ROOMS:
        wire = await dial(three.port)
        await wire.send(upgrade(room, *padding) + hello("alice") + say("first") + say("second"))
        with trio.fail_after(SOON):
            assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
            await wire.until("message", "second")
        wire.close()


async def test_half_a_head_keeps_nobody_waiting(three: Thread) -> None:
    slow = [await dial(three.port) for _ in range(30)]
    for wire in slow:
        await wire.send(upgrade(ROOMS[0])[:-2])
    other = await join(three.port, "bob", ROOMS[0])
    assert "seq" in await said(other, "hi")
    for wire in slow:
        await wire.send(b"\r\n")
        with trio.fail_after(SOON):
            assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
    Wire.close_all()
