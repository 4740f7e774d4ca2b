"""`disk` durability in a server: one commit for all rooms, and what becomes of its failures."""

from __future__ import annotations

import os
import shutil
import threading
from collections import defaultdict
from pathlib import Path

import pytest

from edgechat import system
from edgechat.history.data_folder import sync_folder
from edgechat.history.writer import Writer
from tests.serving.files import check
from tests.serving.running import eventually, program, serving
from tests.serving.talking import Broken, check_honesty, talk
from tests.serving.wire import SOON, Wire, frame, join


def journal(data: Path) -> list[Path]:
    return sorted((data / "journal").iterdir()) if (data / "journal").exists() else []


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_it_is_plain_text_and_empty_after_a_stop(tmp_path: Path, durability: str) -> None:
    async with serving(tmp_path, durability=durability, sync_interval=60.0) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        (line,) = server.lines()
        (segment,) = journal(tmp_path)
        header, commit, *records = segment.read_bytes().splitlines()
        assert header.startswith(b"journal 1 ")
        assert commit.startswith(b"commit ")
        assert [record.split(b" ")[:2] for record in records] == [[b"public", b"lobby"]] * 2
        assert records[1] == b"public lobby " + line
        assert segment.stat().st_mode & 0o777 == 0o600
        assert segment.parent.stat().st_mode & 0o777 == 0o700
        await check_honesty(server, talking)
    assert journal(tmp_path) == []


async def test_what_comes_while_one_commit_is_under_way_shares_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch)
    async with serving(tmp_path, durability="disk") as server:
        wires = [await join(server.port, "alice", f"room{n}") for n in range(10)]
        for wire in wires:
            await wire.say("first")
        for wire in wires:
            await wire.until("message", "first")
        syncs.calls = 0
        syncs.go_on.clear()
        for wire in wires:
            await wire.say("second")
            await wire.send(frame(b'{"ping":2}'))
        for wire in wires:
            await wire.until("pong", 2)  # so what came before was taken
        assert syncs.calls == 1
        syncs.go_on.set()
        for wire in wires:
            await wire.until("message", "second")
        assert syncs.calls <= 2
        assert {len(check(server.stored(f"room{n}"))) for n in range(10)} == {2}


async def test_a_failed_sync_refuses_all_rooms_and_its_file_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, durability="disk", sync_interval=60.0) as server:
        one, other = await talk(server, "one"), await talk(server, "other")
        assert [await one.says("1"), await other.says("1")] == ["stored"] * 2
        (first,) = journal(tmp_path)
        sync = Broken(monkeypatch, "fdatasync")
        sync.failing = True
        assert [await one.says("2"), await other.says("2")] == ["storage_unavailable"] * 2
        sync.failing = False
        assert b'"message":"2"' not in first.read_bytes()
        assert [await one.says("3"), await other.says("3")] == ["stored"] * 2
        assert b'"message":"3"' not in first.read_bytes()
        assert await one.shown() == one.stored == check(server.stored("one"))
        assert await other.shown() == other.stored == check(server.stored("other"))


async def test_what_is_said_during_a_sync_is_synced_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody says anything afterwards."""
    syncs = Syncs(monkeypatch)
    async with serving(tmp_path, durability="os", sync_interval=0.01) as server:
        talking = await talk(server)
        assert await talking.says("the first makes the file") == "stored"
        (segment,) = journal(tmp_path)
        await eventually(lambda: syncs.sizes[segment.stat().st_ino] == segment.stat().st_size)
        syncs.go_on.clear()
        assert await talking.says("one") == "stored"
        await eventually(lambda: syncs.waits)
        assert await talking.says("two") == "stored"
        syncs.go_on.set()
        await eventually(lambda: syncs.sizes[segment.stat().st_ino] == segment.stat().st_size)
        await eventually(lambda: len(server.lines()) == 3)


async def test_a_folder_that_can_not_be_opened_once_is_synced_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said is synced all the same, and the names as soon as that works."""
    syncs = Syncs(monkeypatch)
    folders: list[Path] = []
    failing = True

    def once(folder: Path) -> None:
        nonlocal failing
        if failing:
            failing = False
            raise OSError(24, "Too many open files")
        sync_folder(folder)
        folders.append(folder)

    monkeypatch.setattr("edgechat.history.journal.journal.sync_folder", once)
    async with serving(tmp_path, durability="os", sync_interval=0.01) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        await eventually(lambda: set(folders) >= {tmp_path / "journal", tmp_path / "rooms/public"})
        assert syncs.sizes


async def test_what_stood_before_a_write_that_failed_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs, write = Syncs(monkeypatch), Broken(monkeypatch, "write")
    async with serving(tmp_path, durability="os", sync_interval=0.5) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        write.failing = True
        assert await talking.says("two") == "storage_unavailable"
        write.failing = False
        first, *_ = journal(tmp_path)
        await eventually(lambda: syncs.sizes[first.stat().st_ino] == first.stat().st_size)


async def test_a_journal_that_takes_no_more_refuses_though_the_files_could(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, full = system.write, False

    def short(fd: int, data: bytes) -> int:
        into_journal = "journal" in os.readlink(f"/proc/self/fd/{fd}")
        return write(fd, data[: len(data) // 2] if full and into_journal else data)

    monkeypatch.setattr(system, "write", short)
    async with serving(tmp_path, durability="disk") as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        full = True
        for _ in range(3):
            assert await talking.says("two") == "storage_unavailable"
        assert len(journal(tmp_path)) <= 2
        full = False
        assert await talking.says("three") == "stored"
        await check_honesty(server, talking)


async def test_a_journal_that_vanished_is_begun_anew(tmp_path: Path) -> None:
    async with serving(tmp_path, durability="disk") as server:
        talking = await talk(server)
        for text in ("one", "two", "three"):
            assert await talking.says(text) == "stored"
            assert any(text.encode() in path.read_bytes() for path in journal(tmp_path))
            shutil.rmtree(tmp_path / "journal")
        assert await talking.says("four") == "stored"
        await eventually(lambda: len(server.lines()) == 4)  # from memory
        await check_honesty(server, talking)


async def test_a_journal_that_cannot_be_made(tmp_path: Path) -> None:
    async with serving(tmp_path, durability="disk") as server:
        talking = await talk(server)
        (tmp_path / "journal").write_text("no folder")
        assert await talking.says("one") == "storage_unavailable"
        assert server.files() == set()
        (tmp_path / "journal").unlink()
        assert await talking.says("two") == "stored"
        await check_honesty(server, talking)


async def test_a_segment_goes_once_its_files_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = Writer.sync

    def noted(self: Writer) -> None:
        assert journal(tmp_path)
        synced.append(self.key.name)
        sync(self)

    monkeypatch.setattr(Writer, "sync", noted)
    async with serving(tmp_path, durability="disk", journal_age=0.05) as server:
        for room in ("one", "two"):
            assert await (await talk(server, room)).says("hi") == "stored"
        await eventually(lambda: journal(tmp_path) == [])
        assert set(synced) == {"one", "two"}
        synced.clear()
        assert await (await talk(server, "one")).says("again") == "stored"
        await eventually(lambda: synced == ["one"] and journal(tmp_path) == [])


async def test_a_file_that_could_not_be_synced_is_mended_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As Linux does it: what an `fsync` failed to write is not there when it is read anew."""

    def fail(self: Writer) -> None:
        raise OSError("odd")

    async with serving(tmp_path, durability="disk", journal_age=0.0) as server:
        talking = await talk(server)
        assert await talking.says("one") == "stored"
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "sync", fail)
            assert await talking.says("two") == "stored"
            await eventually(lambda: "could not be synced: odd" in caplog.text)
        await eventually(lambda: b'"two"' in server.file().read_bytes())
        whole = server.file().read_bytes()
        lost = len(server.lines()[-1]) + 1
        server.file().write_bytes(whole[:-lost] + bytes(lost))
        assert await talking.says("three") == "stored"
        assert server.file().read_bytes().startswith(whole)
        await check_honesty(server, talking)
    assert journal(tmp_path) == []


async def test_a_start_reads_what_a_killed_server_left(tmp_path: Path) -> None:
    """As after a loss of power: of the rooms' files nothing was on the disk yet."""
    async with program(tmp_path, "--durability", "disk") as server:
        one, other = await talk(server, "one"), await talk(server, "other")
        for n in range(20):
            assert [await one.says(f"{n}"), await other.says(f"{n}")] == ["stored"] * 2
        Wire.close_all()
        server.process.kill()
        await server.process.wait()
        whole = [server.stored(room) for room in ("one", "other")]
        server.file("one").write_bytes(b"")
        server.file("other").write_bytes(whole[1][:700])
    async with program(tmp_path, "--durability", "os") as server:
        await join(server.port, "carol", "other")
        assert server.file("other").read_bytes() == whole[1]
        await eventually(lambda: server.file("one").read_bytes() == whole[0])  # nobody came
        await eventually(lambda: journal(tmp_path) == [])
        assert "The journal had" in server.log()


async def test_a_journal_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal/00000001.log").mkdir()
    with pytest.raises(AssertionError, match="it ended before"):
        async with program(tmp_path):
            pass
    assert "The journal in" in (tmp_path / "server.log").read_text()


class Syncs:
    """`fdatasync`, as a disk does it that takes its time: until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.waits = False  # for `go_on`
        self.go_on = threading.Event()
        self.go_on.set()
        self.sizes: dict[int, int] = defaultdict(int)  # bytes that are durable, by a file's inode
        sync = system.fdatasync

        def slow(fd: int) -> None:
            found = os.fstat(fd)
            self.calls += 1
            self.waits = True
            self.go_on.wait(SOON)
            self.waits = False
            sync(fd)
            self.sizes[found.st_ino] = found.st_size

        monkeypatch.setattr(system, "fdatasync", slow)
