"""What only the journal has: every command that reads files shows it; `recover` puts it back."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgechat import system
from edgechat.chat.line import claimed
from edgechat.chat.names import RoomKey
from edgechat.cli.check_data import check_data
from edgechat.cli.main import main
from edgechat.history.data_folder import DataFolder
from edgechat.history.journal.commits import SegmentHeader, pack, pack_header, place_of
from edgechat.history.journal.view import JournalView
from tests.cli.commands import arguments, environment
from tests.serving.files import make_lines, write

KEY = RoomKey("lobby", private=False)
LINES = make_lines(5, text="said")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The history has three lines; the journal has the third, and two more."""
    folder = tmp_path / "data"
    write(folder / "rooms/public/lobby.jsonl", LINES[:3])
    (folder / "rooms/private").mkdir()
    (folder / "journal").mkdir()
    records = pack_header(SegmentHeader(1)) + pack([place_of(KEY) + line for line in LINES[2:]])
    (folder / "journal/00000001.log").write_bytes(records)
    return folder


def run(*given: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(map(str, given)))
    return done.exit_code, done.output


def exported(data: Path) -> list[bytes]:
    file = data.parent / "lobby.jsonl"
    run("export", "lobby", "-o", file, "--data", data)
    return file.read_bytes().splitlines()


def test_it_puts_back_what_the_journal_has(data: Path) -> None:
    room = data / "rooms/public/lobby.jsonl"
    code, text = run("recover", "--data", data)
    assert (code, "2 lines were put back, 0 put aside." in text) == (0, True)
    assert room.read_bytes().splitlines()[1:] == LINES
    code, text = run("recover", "--data", data)
    assert (code, "0 lines were put back" in text) == (0, True)


def test_not_beside_a_server(data: Path) -> None:
    folder = DataFolder(data)
    folder.prepare()
    code, text = run("recover", "--data", data)
    folder.release()
    assert (code, "Another EdgeChat server" in text) == (1, True)


def test_verify_counts_it(data: Path) -> None:
    code, text = run("verify", "--data", data)
    assert (code, "lobby: 3 lines, 2 more in the journal" in text) == (0, True)


def test_rooms_counts_it(data: Path) -> None:
    _, text = run("rooms", "--data", data, "--json")
    row = json.loads(text)
    last = json.loads(LINES[-1])["timestamp"]
    assert (row["messages"], row["last"]) == (5, last)


@pytest.mark.parametrize("rooms", [(), ("lobby",)])
def test_grep_finds_it(data: Path, rooms: tuple[str, ...]) -> None:
    _, text = run("grep", "5 said", *rooms, "--data", data, "--json")
    assert json.loads(text)["seq"] == 5


def test_an_export_has_it(data: Path) -> None:
    assert exported(data)[-5:] == LINES


def test_a_backup_has_it(data: Path, tmp_path: Path) -> None:
    code, _ = run("backup", tmp_path / "copy", "--data", data)
    assert code == 0
    assert not (tmp_path / "copy/journal").exists()
    copy = (tmp_path / "copy/rooms/public/lobby.jsonl").read_bytes()
    assert copy.splitlines()[1:] == LINES
    code, text = run("verify", "--data", tmp_path / "copy")
    assert (code, "1 rooms, 5 lines" in text) == (0, True)


def test_a_backup_as_a_tar_has_it(data: Path, tmp_path: Path) -> None:
    with (tmp_path / "tar").open("wb") as tar_file:
        command = arguments("backup", "-", "--data", data)
        subprocess.run(command, check=True, stdout=tar_file, env=environment())
    with tarfile.open(tmp_path / "tar") as tar:
        copy = tar.extractfile("rooms/public/lobby.jsonl")
        assert copy is not None
        assert copy.read().splitlines()[1:] == LINES


def test_a_history_that_lacks_its_last_newline(data: Path, tmp_path: Path) -> None:
    room = data / "rooms/public/lobby.jsonl"
    room.write_bytes(room.read_bytes().rstrip())
    run("backup", tmp_path / "copy", "--data", data)
    copy = (tmp_path / "copy/rooms/public/lobby.jsonl").read_bytes()
    assert copy.splitlines()[1:] == LINES


def test_what_does_not_go_on_is_not_shown(data: Path) -> None:
    """The history was replaced by a shorter one: lines 3 to 5 belong to the one before."""
    write(data / "rooms/public/lobby.jsonl", make_lines(2, text="other"))
    assert exported(data)[-2:] == make_lines(2, text="other")
    _, text = run("recover", "--data", data)
    assert "0 lines were put back, 3 put aside." in text
    _, text = run("verify", "--data", data)
    assert "aside: no room reads this file: lines that the journal had" in text


def test_a_file_of_the_journal_that_goes_meanwhile(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server removes them, when their lines are in the histories."""
    segment = data / "journal/00000001.log"
    kept = segment.read_bytes()
    (data / "journal/00000002.log").write_bytes(kept)

    def scandir(path: Path) -> Any:
        found = list(os.scandir(path))
        segment.unlink(missing_ok=True)
        return nullcontext(found)

    monkeypatch.setattr(system, "scandir", scandir)
    view = JournalView(data)
    assert [place.seq for place in view.after(KEY, 0, bytes.fromhex("0011223344556677"))] == []
    assert [place.line for place in view.after(KEY, 3, claimed(LINES[2]))] == LINES[3:]


def test_the_doctor_says_that_it_is_there(data: Path) -> None:
    said = [finding.what for finding in check_data(data)]
    assert any("There is a journal of" in what and "no server runs" in what for what in said)
