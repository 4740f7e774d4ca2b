"""A disk that is full, fails or is read-only: refused, shown to nobody, and working again later."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.serving.files import check
from tests.serving.running import Program, eventually, program
from tests.serving.talking import check_honesty, need, talk
from tests.serving.wire import frame, join, open_wire, say

BIG = "x" * 1_500


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_file_that_may_not_grow(tmp_path: Path, durability: str) -> None:
    """What was said until that is noticed is kept for it; nothing more is taken until it has it."""
    async with program(tmp_path, "--durability", durability) as server:
        talking = await talk(server)
        assert await talking.says("first") == "stored"
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit := 10_000, hard))
        for _ in range(7):  # 10,500 bytes; some are refused, as the journal may not grow either
            await talking.says(BIG)
        await eventually(lambda: "could not be written" in server.log())
        size = server.file().stat().st_size
        for text in (BIG, "not a short one either"):
            assert await talking.says(text) == "storage_unavailable"
        assert server.file().stat().st_size == size <= limit
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
        ballast.write_bytes(bytes(50_000))
        talking = await talk(server)
        for _ in range(12):  # until that is noticed
            assert await talking.says(BIG) == "stored"
        await eventually(lambda: "could not be written" in server.log())
        for _ in range(5):
            assert await talking.says(BIG) == "storage_unavailable"
        more = fill(server.data / "rooms")  # what was taken back has left some room
        other = await talk(server, "elsewhere")
        assert await other.says("nor here") == "storage_unavailable"
        assert not server.file("elsewhere").exists()
        more.unlink()
        ballast.unlink()
        assert await talking.says(BIG) == "stored"
        assert await other.says("here too") == "stored"
        await check_honesty(server, talking)
        page = await server.get("/api/room/lobby/history?after=0&limit=1000")
        assert page.body.splitlines() == server.lines()


def fill(folder: Path) -> Path:
    """A file that takes what room is left there."""
    path = folder / "more"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    return path


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
        assert [message["message"] for message in check(server.stored())] == ["0", "1"]


def _has_no_history_open(server: Program) -> bool:
    fds = Path(f"/proc/{server.pid}/fd")
    return not any(_leads_to(fd).endswith(".jsonl") for fd in fds.iterdir())


def _leads_to(fd: Path) -> str:
    try:
        return os.readlink(fd)
    except FileNotFoundError:  # closed since it was listed
        return ""


def _remount(server: Program, how: str) -> None:
    rooms = str(server.data).removeprefix(f"/proc/{server.pid}/root") + "/rooms"
    mount = ["mount", "-o", f"remount,{how}", "none", rooms]
    inside = ["nsenter", "--mount", "--target", str(server.pid), *mount]
    assert subprocess.run(inside).returncode == 0


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
        assert check(server.stored())[-50:] == lines[-50:]
