"""What others do to a history while it is in use."""

from __future__ import annotations

import json
import os
import stat
from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from edgechat import system
from tests.serving.files import BASE, make_lines, write
from tests.serving.running import eventually, serving
from tests.serving.talking import resume, said
from tests.serving.wire import SOON, hello, join, open_wire

NOWHERE = {"seq": 0, "h": "0" * 16}
START = {"seq": 0, "h": BASE.decode()}


async def test_a_history_made_anew_is_another_one(tmp_path: Path) -> None:
    async with serving(tmp_path, room_idle=0.0) as server:
        alice = await join(server.port, "alice")
        last = await said(alice, "old")
        alice.close()
        path = server.file()
        await eventually(lambda: not _is_open(path))
        path.unlink()
        got, ready = await resume(server, {"seq": 1, "h": last["h"]})
        assert (got, ready["recovered"], ready["reason"]) == ([], False, "forked")
        again = await join(server.port, "alice")
        assert (await said(again, "old"))["h"] != last["h"]
        got, ready = await resume(server, {"seq": 1, "h": last["h"]})
        assert (got, ready["reason"]) == (server.lines(), "forked")


def _is_open(path: Path) -> bool:
    links = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
    return any(os.path.realpath(link) == str(path) for link in links)


def change(path: Path, how: str) -> None:
    """What an operator, a backup or an editor may do to a file that is in use."""
    other = path.with_suffix(".other")
    size = path.stat().st_size
    if how == "removed":
        path.unlink()
    elif how == "moved":
        path.rename(other)
    elif how == "replaced":
        write(other, make_lines(3), "lobby")
        other.rename(path)
    elif how == "replaced by as much":
        other.write_bytes(path.read_bytes().replace(b"one", b"eno"))
        other.rename(path)
    elif how == "linked":
        path.rename(other)
        path.symlink_to(other)
    elif how == "appended to":
        path.write_bytes(path.read_bytes() + b"garbage\n")
    else:
        os.truncate(path, size - 10 if how == "cut" else 0)


def step_the_clock(monkeypatch: pytest.MonkeyPatch, step: float = 0.15) -> None:
    """By 0.15 s a look: a folder seen twice is believed at the next six. By 2 s, it never is."""
    steps = (step * n for n in count())
    monkeypatch.setattr(system, "monotonic", lambda: next(steps))


NAMES = ["removed", "moved", "replaced", "replaced by as much", "linked"]
IN_PLACE = ["appended to", "cut", "emptied"]


@pytest.mark.parametrize("how", [*NAMES, *IN_PLACE])
@pytest.mark.parametrize("durability", ["os", "believing the folder", "disk"])
async def test_a_file_that_others_changed_is_not_gone_on_with(
    tmp_path: Path, how: str, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changed is noticed at once; what happened in a file, a second later at most."""
    if how in IN_PLACE:
        step_the_clock(monkeypatch, 2.0)
        durability = "disk" if durability == "disk" else "os"
    elif durability == "believing the folder":
        step_the_clock(monkeypatch)
        durability = "os"
    async with serving(tmp_path, durability=durability) as server:
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
        await said(alice, "one", id="c0")  # from the first id on, no message waits for the ids
        os.utime(server.file().parent, (0, 0))  # whatever happens next bears another time
        for text in ("two", "three", "four"):
            await said(alice, text)
        await eventually(lambda: b'"four"' in server.file().read_bytes())
        await wait_all_tasks_blocked(0.05)  # and that is known
        change(server.file(), how)
        before = server.file().read_bytes() if server.file().exists() else None
        assert (await said(alice, "lost?", id="c1"))["code"] == "storage_unavailable"
        with trio.fail_after(SOON):
            assert await alice.close_code() == await bob.close_code() == 1012
        assert before == (server.file().read_bytes() if server.file().exists() else None)
        if how == "linked":
            return
        again = await join(server.port, "alice", v=2)
        stored = await said(again, "kept", id="c1")
        await eventually(lambda: b'"kept"' in server.file().read_bytes())
        assert json.loads(server.lines()[-1]) == stored
        assert b"lost?" not in server.file().read_bytes()


@pytest.mark.parametrize("how", [*NAMES, *IN_PLACE])
async def test_what_was_shown_before_a_change_is_noticed_is_kept(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its file has what continues it, a file beside it the rest; and the room starts again."""
    async with serving(tmp_path, sync_interval=0.5) as server:
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob", v=2)
        for text in ("one", "two", "three"):
            await said(alice, text, id=text)
        await eventually(lambda: b'"three"' in server.file().read_bytes())
        shown = [await said(alice, text, id=text) for text in ("four", "five")]
        assert b'"four"' not in server.file().read_bytes()
        change(server.file(), how)
        with trio.fail_after(SOON):
            assert await alice.close_code() == await bob.close_code() == 1012
        assert "The room starts again: the history of room 'lobby'" in caplog.text
        if how == "replaced by as much":  # its last line is the same
            await eventually(lambda: len(server.lines()) == 5)
            assert [json.loads(line) for line in server.lines()[3:]] == shown
            return
        if how == "linked":  # no link is followed: they stay in memory, and in the journal
            assert not list(server.file().parent.glob("lobby.*.aside"))
            server.file().unlink()
        await eventually(lambda: "2 lines of the journal do not continue" in caplog.text)
        (beside,) = server.file().parent.glob("lobby.*.aside")
        assert [json.loads(line) for line in beside.read_bytes().splitlines()] == shown


async def test_a_file_that_is_replaced_by_its_copy_gets_what_was_shown(tmp_path: Path) -> None:
    """As editors and `sed -i` do it: nobody is cut off from what was said."""
    async with serving(tmp_path, sync_interval=0.5) as server:
        alice = await join(server.port, "alice")
        await said(alice, "one", id="c1")
        last = await said(alice, "two", id="c2")
        assert b'"two"' not in server.file().read_bytes()
        copy = tmp_path / "copy"
        copy.write_bytes(server.file().read_bytes())
        copy.rename(server.file())
        with trio.fail_after(SOON):
            assert await alice.close_code() == 1012
        got, ready = await resume(server, {"seq": 1, "h": json.loads(server.lines()[0])["h"]})
        assert ([json.loads(line) for line in got], ready["recovered"]) == ([last], True)
        assert server.files() == {"lobby.jsonl"}


async def test_a_file_that_goes_after_its_line_is_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for before that, and again when it is written."""
    write_it, other = system.write, tmp_path / "other"

    def write_and_lose(fd: int, data: bytes) -> int:
        written = write_it(fd, data)
        if b"kept" in data and data.startswith(b"commit") and server.file().exists():
            server.file().rename(other)
        return written

    async with serving(tmp_path) as server:
        alice, bob = await join(server.port, "alice"), await join(server.port, "bob")
        await said(alice, "one", id="c0")
        monkeypatch.setattr(system, "write", write_and_lose)
        shown = await said(alice, "kept", id="c1")
        with trio.fail_after(SOON):
            assert await alice.close_code() == await bob.close_code() == 1012
        (aside,) = other.parent.glob("rooms/public/lobby.2-*.aside")
        assert json.loads(aside.read_bytes()) == shown
        assert not server.file().exists()


async def test_what_others_put_in_the_place_of_a_new_file_is_left_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_it, other = system.write, tmp_path / "other"
    write(other, theirs := make_lines(3), "lobby")
    before = other.read_bytes()

    def write_and_replace(fd: int, data: bytes) -> int:
        written = write_it(fd, data)
        if b"lost?" in data and other.exists():
            other.rename(server.file())
        return written

    async with serving(tmp_path) as server:
        alice = await join(server.port, "alice")
        monkeypatch.setattr(system, "write", write_and_replace)
        assert (await said(alice, "lost?"))["code"] == "storage_unavailable"
        assert server.file().read_bytes() == before
        again = await join(server.port, "alice")
        assert (await said(again, "next"))["seq"] == len(theirs) + 1


async def test_a_private_rooms_file_is_looked_for_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_the_clock(monkeypatch)
    async with serving(tmp_path) as server:
        id = (await server.ask("POST", "/api/room")).body.decode()
        alice = await join(server.port, "alice", id)
        await said(alice, "one", id="c0")
        (path,) = (tmp_path / "rooms/private").iterdir()
        os.utime(path.parent, (0, 0))
        for text in ("two", "three", "four"):
            await said(alice, text)
        path.rename(tmp_path / "other")
        assert (await said(alice, "lost?", id="c1"))["code"] == "storage_unavailable"


async def test_a_link_in_a_historys_place_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    write(secret, make_lines(3))
    (tmp_path / "data/rooms/public").mkdir(parents=True)
    (tmp_path / "data/rooms/public/lobby.jsonl").symlink_to(secret)
    before = secret.read_bytes()
    async with serving(tmp_path / "data") as server:
        assert (await server.get("/api/room/lobby/history")).status == 503
        wire = await open_wire(server.port)
        await wire.send(hello("mallory"))
        with trio.fail_after(SOON):
            assert (await wire.event())["code"] == "storage_unavailable"
            assert await wire.close_code() == 1013
    assert secret.read_bytes() == before


@pytest.mark.parametrize("what", ["directory", "fifo", "socket"])
async def test_what_is_no_file_is_no_history(tmp_path: Path, what: str) -> None:
    path = tmp_path / "rooms/public/lobby.jsonl"
    path.parent.mkdir(parents=True)
    if what == "directory":
        path.mkdir()
    else:
        os.mknod(path, stat.S_IFIFO if what == "fifo" else stat.S_IFSOCK)
    async with serving(tmp_path) as server:
        assert (await server.get("/api/room/lobby")).status == 503
        path.rmdir() if what == "directory" else path.unlink()
        alice = await join(server.port, "alice")
        assert (await said(alice, "hi"))["seq"] == 1
