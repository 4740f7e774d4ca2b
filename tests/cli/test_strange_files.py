"""What an administrator may find in a data folder: no command waits for it, or ends by it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import trio

from tests.cli.commands import edgechat
from tests.http.test_app import error
from tests.serving.files import header, make_lines, write
from tests.serving.running import serving
from tests.serving.wire import SOON

HOLE = 64 << 20
STRANGE = {  # what is no file, and what it is called
    "pipe": "a pipe",
    "folder": "a folder",
    "link": "a link",
    "circle": "a link",
    "endless": "a link",
    "socket": "a socket",
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "rooms" / "public"
    write(folder / "lobby.jsonl", make_lines(3))
    monkeypatch.chdir(folder)  # a socket's path has to be short
    os.mkfifo("pipe.jsonl")
    Path("folder.jsonl").mkdir()
    Path("link.jsonl").symlink_to("lobby.jsonl")
    Path("circle.jsonl").symlink_to("circle.jsonl")
    Path("endless.jsonl").symlink_to("/dev/zero")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket.jsonl")
    listening.close()
    write(folder / "General.jsonl", make_lines(2), "general")
    (folder / "lobby.jsonl.1").write_bytes(b"old")
    (folder / "empty.jsonl").touch()
    (folder / "hole.jsonl").write_bytes(header("hole") + make_lines(1)[0] + b"\n")
    os.truncate(folder / "hole.jsonl", HOLE)
    return tmp_path


async def test_verify_names_each(data: Path) -> None:
    done = await edgechat("verify", "--data", data)
    assert done.status == 1
    for name, what in STRANGE.items():
        assert f"{name}: it is {what}, not a file" in done.out
    assert "General.jsonl: no room reads this file: another spelling of general.jsonl" in done.out
    assert "lobby.jsonl.1: no room reads this file" in done.out
    assert "Traceback" not in done.err


async def test_rooms_lists_the_others(data: Path) -> None:
    done = await edgechat("rooms", "--data", data)
    assert done.status == 1
    assert {line.split()[0] for line in done.out.splitlines()} == {"room", "lobby", "hole", "empty"}
    noted = done.err.splitlines()
    assert len(noted) == len(STRANGE)
    assert all(line.startswith("Passed over: ") for line in noted)
    good = await edgechat("rooms", "lobby", "--data", data)
    assert (good.status, good.err) == (0, "")


async def test_grep_looks_into_the_others(data: Path) -> None:
    done = await edgechat("grep", "1", "--data", data)
    assert done.status == 1
    assert len(done.out.splitlines()) == 2  # lobby's and hole's
    assert len(done.err.splitlines()) == len(STRANGE)
    good = await edgechat("grep", "1", "lobby", "--data", data)
    assert (good.status, good.err) == (0, "")


@pytest.mark.parametrize("command", [("export",), ("grep", "x"), ("rooms",)])
@pytest.mark.parametrize("name", STRANGE)
async def test_one_that_is_named_is_an_error(
    data: Path, name: str, command: tuple[str, ...]
) -> None:
    done = await edgechat(*command, name, "--data", data)
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines() == [
        f"Error: {data}/rooms/public/{name}.jsonl can't be read: it is {STRANGE[name]}, not a file."
    ]


async def test_backup_leaves_out_what_is_no_file(data: Path) -> None:
    done = await edgechat("backup", data / "copy", "--data", data)
    assert done.status == 0
    assert sum(line.startswith("Left out: ") for line in done.err.splitlines()) == len(STRANGE)
    copied = {path.name for path in (data / "copy" / "rooms" / "public").iterdir()}
    assert copied == {"lobby.jsonl", "General.jsonl", "empty.jsonl", "hole.jsonl"}


async def test_doctor_names_them(data: Path) -> None:
    done = await edgechat("doctor", "--data", data)
    assert "Traceback" not in done.err
    assert "Read by no room: " in done.out
    assert "circle.jsonl" in done.out


async def test_a_server_serves_the_others(data: Path) -> None:
    with trio.fail_after(2 * SOON):
        async with serving(data) as server:
            for name in STRANGE:
                answer = await server.get(f"/api/room/{name}/history")
                assert (answer.status, error(answer.body)) == (503, "storage_unavailable")
            for name, count in (("lobby", 3), ("hole", 1), ("empty", 0), ("general", 0)):
                page = await server.get(f"/api/room/{name}/history")
                assert (page.status, page.body.count(b'"seq"')) == (200, count)


async def test_an_id_is_not_shown_whole(tmp_path: Path) -> None:
    id = "ab" * 32
    (tmp_path / "rooms" / "private" / f"{id}.jsonl").mkdir(parents=True)
    for command in (("rooms",), ("rooms", id), ("export", id), ("backup", tmp_path / "copy")):
        done = await edgechat(*command, "--data", tmp_path)
        assert "abababab….jsonl" in done.err
        assert id not in done.out + done.err
