"""A disk that is full, fails or is read-only: refused, shown to nobody, and working again later."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from .files import check
from .running import Program, Running, eventually, program, serving
from .wire import Wire, frame, join, open_wire, say

BIG = "x" * 1_500


class Talk:
    """One who speaks and one who listens; what was acknowledged is what was shown."""

    def __init__(self, alice: Wire, bob: Wire) -> None:
        self._alice = alice
        self._bob = bob
        self.stored: list[dict[str, Any]] = []

    async def says(self, text: str) -> str:
        """`stored`, or the code of the refusal."""
        await self._alice.say(text)
        while not {"code", "timestamp"} & (event := await self._alice.event()).keys():
            pass
        if "code" in event:
            return str(event["code"])
        self.stored.append(event)
        return "stored"

    async def shown(self) -> list[dict[str, Any]]:
        """All that the other one was shown."""
        await self._bob.send(frame('{"ping":1}'))
        shown = []
        while (event := await self._bob.event()) != {"pong": 1}:
            if "timestamp" in event:
                shown.append(event)
        return shown


async def talk(server: Running, room: str = "lobby") -> Talk:
    return Talk(await join(server.port, "alice", room), await join(server.port, "bob", room))


async def check_honesty(server: Running, talk: Talk) -> None:
    """The file has what was acknowledged and shown, and nothing else."""
    assert await talk.shown() == talk.stored == check(server.file())


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_file_that_may_not_grow(tmp_path: Path, durability: str) -> None:
    async with program(tmp_path, "--durability", durability) as server:
        talking = await talk(server)
        assert await talking.says("first") == "stored"
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        for limit in (10_000, 17_001):  # the last one that fits only in part is taken back
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit, hard))
            while await talking.says(BIG) == "stored":
                assert server.file().stat().st_size <= limit
            assert await talking.says(BIG) == "storage_unavailable"
            assert await talking.says("a short one still fits") == "stored"
            while await talking.says("fill") == "stored":
                pass
            assert await talking.says("fill") == "storage_unavailable"
            bystander = await join(server.port, "carol", "elsewhere")
            await bystander.say("this room goes on")
            await bystander.until("message")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert await talking.says(BIG) == "stored"
        await check_honesty(server, talking)


async def test_no_room_for_the_first_message(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        talking = await talk(server)
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        for limit in (0, 1, 50, 200):
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit, hard))
            assert await talking.says(BIG) == "storage_unavailable"
            assert server.files() == set()
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert await talking.says("first") == "stored"
        await check_honesty(server, talking)


def need(tool: str, *options: str) -> None:
    """Skip where the tool is not there, or not allowed."""
    try:
        allowed = subprocess.run([tool, *options, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip(f"{tool} is not there, or not allowed")


@asynccontextmanager
async def on_a_small_disk(data: Path, *options: str) -> AsyncIterator[Program]:
    """A server whose histories are on a file system of 64 KiB that only it sees."""
    need("unshare", "--mount")
    rooms = data / "rooms"
    script = f'mkdir "{rooms}" && mount -t tmpfs -o size=64k none "{rooms}" && exec "$@"'
    before = ("unshare", "--mount", "sh", "-c", script, "sh")
    async with program(data, *options, before=before) as server:
        server.data = Path(f"/proc/{server.pid}/root{data}")
        yield server


async def test_a_full_disk(tmp_path: Path) -> None:
    async with on_a_small_disk(tmp_path) as server:
        ballast = server.data / "rooms" / "ballast"
        ballast.write_bytes(bytes(20_000))
        talking = await talk(server)
        while await talking.says(BIG) == "stored":
            pass
        for _ in range(5):
            assert await talking.says(BIG) == "storage_unavailable"
        other = await talk(server, "elsewhere")
        assert await other.says("nor here") == "storage_unavailable"
        assert not server.file("elsewhere").exists()
        ballast.unlink()
        assert await talking.says(BIG) == "stored"
        assert await other.says("here too") == "stored"
        await check_honesty(server, talking)
        page = await server.get("/api/room/lobby/history?after=0&limit=1000")
        assert page.body.splitlines() == server.lines()


async def test_a_disk_that_became_read_only(tmp_path: Path) -> None:
    async with on_a_small_disk(tmp_path, "--room-idle", "0") as server:
        for n in range(2):
            alice = await join(server.port, "alice")
            await alice.say(f"{n}")
            await alice.until("message", f"{n}")
            alice.close()
            await eventually(partial(_has_no_history_open, server))  # else it could not be
            _remount(server, "ro")
            wire = await open_wire(server.port)
            await wire.send(frame('{"name":"bob"}'))
            assert (await wire.event())["code"] == "storage_unavailable"
            assert await wire.close_code() == 1013
            assert (await server.get("/api/room/lobby/history")).status == 503
            wire.close()
            _remount(server, "rw")
        assert [message["message"] for message in check(server.file())] == ["0", "1"]


def _has_no_history_open(server: Program) -> bool:
    links = (f"/proc/{server.pid}/fd/{fd}" for fd in os.listdir(f"/proc/{server.pid}/fd"))
    return not any(os.readlink(link).endswith(".jsonl") for link in links)


def _remount(server: Program, how: str) -> None:
    rooms = str(server.data).removeprefix(f"/proc/{server.pid}/root") + "/rooms"
    mount = ["mount", "-o", f"remount,{how}", "none", rooms]
    inside = ["nsenter", "--mount", "--target", str(server.pid), *mount]
    assert subprocess.run(inside).returncode == 0


class Broken:
    """A system call that fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.failing = False
        self.calls = 0
        self._call: Callable[..., Any] = getattr(os, name)
        monkeypatch.setattr(os, name, self)

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        if self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._call(*args)


async def test_a_failed_fsync_before_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, durability="disk") as server:
        fsync = Broken(monkeypatch, "fsync")
        talking = await talk(server)
        for text in ("the file is made", "it is there", "and there"):
            fsync.failing = True
            for _ in range(3):
                assert await talking.says(text) == "storage_unavailable"
            fsync.failing = False
            assert await talking.says(text) == "stored"
        await check_honesty(server, talking)


async def test_a_failed_fsync_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as server:
        talking = await talk(server)
        fsync = Broken(monkeypatch, "fsync")
        fsync.failing = True
        assert await talking.says("one") == "stored"
        while "could not be synced" not in caplog.text:
            await trio.testing.wait_all_tasks_blocked(0.01)
        for _ in range(3):  # nothing is claimed until the file was opened again and checked
            assert await talking.says("two") == "storage_unavailable"
        fsync.failing = False
        assert await talking.says("three") == "stored"
        synced = fsync.calls
        while fsync.calls == synced:
            await trio.testing.wait_all_tasks_blocked(0.01)
        await check_honesty(server, talking)


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_write_that_can_not_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    write = os.write

    def torn(fd: int, data: bytes) -> int:
        return (
            write(fd, data[: len(data) // 2]) if tearing and b'{"seq"' in data else write(fd, data)
        )

    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        tearing = False
        monkeypatch.setattr(os, "write", torn)
        truncate = Broken(monkeypatch, "ftruncate")
        assert await talking.says("one") == "stored"
        tearing = truncate.failing = True
        assert await talking.says("two") == "storage_unavailable"
        tearing = False
        assert await talking.says("three") == "storage_unavailable"
        truncate.failing = False
        assert await talking.says("four") == "stored"
        await check_honesty(server, talking)


async def test_what_can_not_be_read_ends_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, recent_lines=5) as server:
        talking = await talk(server)
        for n in range(20):
            assert await talking.says(f"{n}") == "stored"
        pread = Broken(monkeypatch, "pread")
        pread.failing = True
        newcomer = await open_wire(server.port)
        await newcomer.send(frame('{"name":"carol"}'))
        assert await newcomer.close_code() == 1013
        page = await server.get("/api/room/lobby/history")
        assert page.status == 503
        assert b"storage_unavailable" in page.body
        assert await talking.says("still here") == "stored"
        pread.failing = False
        assert (await server.get("/api/room/lobby/history")).status == 200
        await check_honesty(server, talking)


async def test_every_fifth_fsync_fails(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")
    need("strace", "-D", "-o", os.devnull)
    inject = ("-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=3+5")
    trace = ("strace", "-D", "-f", "-qq", "-o", os.devnull, *inject)
    async with program(tmp_path, "--durability", "disk", before=trace) as server:
        talking = await talk(server)
        answers = [await talking.says(f"{n}") for n in range(40)]
        assert set(answers) == {"stored", "storage_unavailable"}
        await check_honesty(server, talking)
        assert await server.stop(signal.SIGTERM) == 0
        assert "Traceback" not in server.log()


async def test_a_whole_batch_is_refused_together(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
        await alice.say("first")
        await bob.until("message")
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (3_000, hard))
        await alice.send(b"".join(say(f"{n} {BIG}", id=f"c{n}") for n in range(50)))
        codes = [(await alice.until("id"))["id"] for _ in range(50)]
        assert codes == [f"c{n}" for n in range(50)]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await alice.send(b"".join(say(f"{n} {BIG}", id=f"c{n}") for n in range(50)))
        lines = await bob.lines(51)
        assert [line["id"] for line in lines if "id" in line][-49:] == codes[1:]
        assert check(server.file())[-50:] == lines[-50:]
