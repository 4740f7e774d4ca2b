"""System calls that fail: nothing is claimed that is not so."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from edgechat import system
from edgechat.chat.state import RoomState
from edgechat.history.writer import Writer
from tests.serving.files import make_lines, write
from tests.serving.running import eventually, program, serving
from tests.serving.talking import Broken, check_honesty, need, talk
from tests.serving.wire import SOON, Wire, frame, open_wire

BIG = "x" * 1_500


async def test_a_failed_fsync_before_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, durability="disk") as server:
        fsync = Broken(monkeypatch, "fdatasync")
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
        await eventually(lambda: "could not be synced" in caplog.text)
        for _ in range(3):  # nothing is claimed until the file was opened again and checked
            assert await talking.says("two") == "storage_unavailable"
        fsync.failing = False
        assert await talking.says("three") == "stored"
        synced = fsync.calls
        await eventually(lambda: fsync.calls > synced)
        await check_honesty(server, talking)


@pytest.mark.parametrize("cut", [0, 10])
@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_file_that_was_changed_when_its_sync_had_failed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    cut: int,
    durability: str,
) -> None:
    """After a failure its last line is looked at, not its length alone."""
    write(tmp_path / "rooms/public/lobby.jsonl", make_lines(5))
    async with serving(tmp_path, durability=durability, journal_age=0.0) as server:
        talking = await talk(server)
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "sync", _fail)
            assert await talking.says("one") == "stored"
            await eventually(lambda: "could not be synced" in caplog.text)
        restored = server.file().read_bytes().replace(b'"name":"alice"', b'"name":"malet"')
        server.file().write_bytes(restored[: len(restored) - cut])
        if cut:  # a torn line is the journal's to mend
            assert await talking.says("two") == "stored"
            assert talking.stored == [json.loads(line) for line in server.lines()[-2:]]
        else:
            assert await talking.says("two") == "storage_unavailable"
            assert b"two" not in server.file().read_bytes()


def _fail(*_: object) -> None:
    raise OSError(errno.EIO, "broken")


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_write_to_the_journal_that_can_not_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    """The next file of the journal says that it does not count."""
    tearing = False
    tear(monkeypatch, lambda data: tearing and data.startswith(b"commit "))
    truncate = Broken(monkeypatch, "ftruncate")
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        tearing = truncate.failing = True
        assert await talking.says("two") == "storage_unavailable"
        tearing = False
        assert await talking.says("three") == "stored"
        await check_honesty(server, talking)


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_write_to_a_file_that_can_not_be_taken_back(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    durability: str,
) -> None:
    """What was shown stays in memory and in the journal, and nothing more is taken until then."""
    tearing = False
    tear(monkeypatch, lambda data: tearing and data.startswith(b'{"seq"'))
    truncate = Broken(monkeypatch, "ftruncate")
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        tearing = truncate.failing = True
        assert await talking.says("two") == "stored"
        await eventually(lambda: "could not be written" in caplog.text)
        assert await talking.says("three") == "storage_unavailable"
        tearing = False
        assert await talking.says("four") == "storage_unavailable"
        truncate.failing = False
        assert await talking.says("five") == "stored"
        await check_honesty(server, talking)


def tear(monkeypatch: pytest.MonkeyPatch, which: Callable[[bytes], bool]) -> None:
    """Of such writes only half is taken."""
    whole = system.write

    def torn(fd: int, data: bytes) -> int:
        return whole(fd, data[: len(data) // 2] if which(data) else data)

    monkeypatch.setattr(system, "write", torn)


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_file_that_can_not_be_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        look = Broken(monkeypatch, "stat")
        look.failing = True
        assert await talking.says("two") == "storage_unavailable"
        assert len(server.lines()) == 1
        look.failing = False
        assert await talking.says("three") == "stored"
        await check_honesty(server, talking)


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_file_whose_end_can_not_be_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    durability: str,
) -> None:
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        look = Broken(monkeypatch, "lseek")
        look.failing = True
        assert await talking.says("two") == "stored"  # in the journal
        await eventually(lambda: "could not be written" in caplog.text)
        assert await talking.says("three") == "storage_unavailable"
        look.failing = False
        assert await talking.says("four") == "stored"
        await check_honesty(server, talking)


async def test_what_can_not_be_read_ends_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, recent_lines=5) as server:
        talking = await talk(server)
        for n in range(20):
            assert await talking.says(f"{n}") == "stored"
        await eventually(lambda: b'"message":"19"' in server.file().read_bytes())
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


async def test_every_fifth_sync_of_the_journal_fails(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")
    need("strace", "-D", "-o", os.devnull)
    inject = ("-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=3+5")
    trace = ("strace", "-D", "-f", "-qq", "-o", os.devnull, *inject)
    async with program(tmp_path, "--durability", "disk", before=trace) as server:
        talking = await talk(server)
        answers = [await talking.says(f"{n}") for n in range(20)]
        assert set(answers) == {"stored", "storage_unavailable"}
        await check_honesty(server, talking)
        Wire.close_all()
        assert await server.stop(signal.SIGTERM) == 0
        assert "Traceback" not in server.log()


async def test_the_log_never_names_a_private_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, journal_age=0.0) as server:
        id = (await server.ask("POST", "/api/room")).body.decode()
        talking = await talk(server, id)
        assert await talking.says("one") == "stored"
        for name in ("write", "stat", "fsync"):
            call = Broken(monkeypatch, name)
            call.failing = True
            with trio.fail_after(SOON):
                while await talking.says("two") == "stored":
                    continue  # a sync in the background comes later
            call.failing = False
            assert await talking.says("three") == "stored"
        monkeypatch.setattr(RoomState, "store", None)
        await talking.breaks()
        (tmp_path / f"rooms/private/{id}.jsonl").unlink()
        (tmp_path / f"rooms/private/{id}.jsonl").mkdir()
        assert (await server.get(f"/api/room/{id}")).status == 503
    assert caplog.text.count("a private room") >= 4
    assert "A defect ended a room" in caplog.text
    assert id not in caplog.text
    caplog.clear()


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_a_new_file_that_can_not_be_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    """What was refused is in no history, though nobody can say what is in that place."""
    async with serving(tmp_path, durability=durability) as server:
        talking = await talk(server)
        stat = Broken(monkeypatch, "stat")
        stat.failing = True
        assert await talking.says("one") == "storage_unavailable"
        stat.failing = False
        assert b"one" not in (server.file().read_bytes() if server.file().exists() else b"")
        Wire.close_all()
    async with serving(tmp_path, durability=durability) as server:
        assert json.loads((await server.get("/api/room/lobby")).body)["seq"] == 0
        talking = await talk(server)
        assert await talking.says("two") == "stored"
        assert [json.loads(line)["message"] for line in server.lines()] == ["two"]
