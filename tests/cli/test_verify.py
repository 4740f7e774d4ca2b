"""`edgechat verify`: what it names, and what it calls damage."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest

from edgechat.chat.names import PrivateIds
from edgechat.cli.main import main
from edgechat.history.data_folder import DataFolder
from edgechat.history.strays import warn_of_strays
from tests.serving.files import make_lines, write
from tests.serving.running import program

LINES = make_lines(20)


def verify(
    capsys: pytest.CaptureFixture[str], data: Path, *options: str
) -> tuple[int, list[str], str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--data", str(data), *options])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out.splitlines(), told.err


def changed(data: Path, old: bytes, new: bytes) -> None:
    path = data / "rooms/public/lobby.jsonl"
    before = write(path, LINES)
    assert old in before
    path.write_bytes(before.replace(old, new))


@pytest.mark.parametrize("newline", [b"\r\n", b"\r", b" ", b"", b"\n\n"])
def test_records_are_counted_not_newlines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], newline: bytes
) -> None:
    changed(tmp_path, b"\n", newline)
    code, told, _ = verify(capsys, tmp_path, "lobby")
    assert (code, told[0][:15]) == (0, "lobby: 20 lines")
    assert told[-1].startswith("1 rooms, 20 lines, ")
    assert told[-1].endswith(": none damaged.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"edgechat":1', b'"edgechat":2', "format 2"),
        (b'"room":"lobby"', b'"room":"other"', "another room"),
        (b'"edgechat"', b'"edgechat', "the header is damaged"),
        (b'"room":"lobby"', b'"room":"lobbx"', "the header is damaged"),
        (LINES[4] + b"\n" + LINES[5], b"x" * 90, "2 damaged: 5-6"),
        (LINES[4], LINES[4] + b"\n" + LINES[4], "1 that stand there again"),
    ],
)
def test_what_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes, said: str
) -> None:
    changed(tmp_path, old, new)
    code, told, _ = verify(capsys, tmp_path)
    assert code == 1
    assert said in told[0]
    assert told[-1].endswith(": 1 damaged.")
    code, told, _ = verify(capsys, tmp_path, "--json")
    assert (code, json.loads(told[0])["room"]) == (1, "lobby")


def test_damage_is_told_without_more_than_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(tmp_path, b'"3 "', b'"3!"')
    code, told, _ = verify(capsys, tmp_path)
    assert (code, told[0]) == (1, "lobby: 19 lines, 1 damaged: 3")
    path = tmp_path / "rooms/public/lobby.jsonl"
    path.write_bytes(path.read_text().encode("utf-16"))
    code, told, _ = verify(capsys, tmp_path)
    said = "lobby: the room can't be opened: it is in UTF-16: convert it to UTF-8"
    assert (code, told[0]) == (1, said)


def test_a_torn_end_is_said_and_is_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(tmp_path, LINES[-1] + b"\n", LINES[-1] + b'\n{"seq":21,')
    code, told, _ = verify(capsys, tmp_path)
    assert (code, told[0]) == (
        0,
        "lobby: 20 lines, a torn last line of 10 bytes (the next start mends it)",
    )


def test_what_no_room_reads_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    folder = DataFolder(tmp_path)
    ids = PrivateIds(folder.prepare())
    folder.release()
    public, private = tmp_path / "rooms/public", tmp_path / "rooms/private"
    mine, other = ids.make(bytes(16)), PrivateIds(b"x" * 32).make(bytes(16))
    write(public / "café.jsonl", LINES)
    write(private / f"{mine}.jsonl", LINES)
    (public / "café.jsonl.torn-1763880000000").touch()
    strays = {
        public / f"{unicodedata.normalize('NFD', 'café')}.jsonl": "another spelling of café",
        public / "General.jsonl": "another spelling of general",
        public / "a b.jsonl": "another spelling of a-b",
        public / "general.jsonl.1": "no room's name",
        public / "general.bak": "no room's name",
        public / "general.jsonl~": "no room's name",
        public / f"{mine}.jsonl": "no room's name",
        private / f"{other}.jsonl": "of another key",
        private / f"{mine.upper()}.jsonl": "no private room's name",
        private / "lobby.jsonl": "no private room's name",
        tmp_path / "rooms/lobby.jsonl": "in the wrong folder",
        tmp_path / "lobby.jsonl": "in the wrong folder",
    }
    for path in strays:
        path.write_bytes((public / "café.jsonl").read_bytes())
    code, told, _ = verify(capsys, tmp_path)
    assert code == 1
    assert told[-1].startswith("2 rooms, 40 lines")
    assert told[-1].endswith(": none damaged, and 12 files that no room reads.")
    code, of_one, _ = verify(capsys, tmp_path, "CAFÉ")
    assert (code, len(of_one)) == (1, 3)  # the room's, the other spelling, the sum
    for said in strays.values():
        assert any("no room reads this file" in line and said in line for line in told), said
    warn_of_strays(tmp_path, ids)
    assert caplog.text.count("No room reads these files") == 1
    assert "and 7 more" in caplog.text
    for id in (mine, other):
        assert id not in caplog.text.lower()
        assert id not in "\n".join(told).lower()
    for path in strays:
        path.unlink()
    caplog.clear()
    warn_of_strays(tmp_path, ids)
    assert caplog.text == ""
    assert verify(capsys, tmp_path)[0] == 0


async def test_the_start_names_them(tmp_path: Path) -> None:
    write(tmp_path / "rooms/public/General.jsonl", LINES)
    async with program(tmp_path) as server:
        assert (await server.get("/livez")).status == 200
        while "No room reads these files" not in server.log():
            await server.get("/livez")
        assert server.log().count("General.jsonl (another spelling of general.jsonl") == 1


@pytest.mark.parametrize("what", ["pipe", "folder", "link", "socket"])
def test_it_waits_for_nothing_but_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    path = tmp_path / "rooms/public/lobby.jsonl"
    path.parent.mkdir(parents=True)
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to("/dev/zero")
    else:
        os.mknod(path, 0o140600)
    code, told, _ = verify(capsys, tmp_path)
    assert (code, told[0][:7]) == (1, "lobby: ")
    assert told[-1].endswith(": 1 damaged.")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"not a history\n", "it is not a history"), (b"\x1f\x8b" + bytes(range(256)), "not a hist")],
)
def test_what_is_not_a_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    changed(tmp_path, b"", b"")
    (tmp_path / "rooms/public/lobby.jsonl").write_bytes(content)
    code, told, _ = verify(capsys, tmp_path)
    assert code == 1
    assert said in told[0]
