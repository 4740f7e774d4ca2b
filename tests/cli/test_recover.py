"""`edgechat recover`, without a server."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from edgechat.chat.names import RoomKey
from edgechat.cli.main import main
from edgechat.history.data_folder import DataFolder
from edgechat.history.journal_record import SegmentHeader, pack, pack_header
from tests.serving.files import make_lines, write

KEY = RoomKey("lobby", private=False)


def test_it_puts_back_what_the_journal_has(tmp_path: Path) -> None:
    lines = make_lines(5)
    room = tmp_path / "rooms/public/lobby.jsonl"
    write(room, lines[:3])
    (tmp_path / "journal").mkdir()
    records = pack_header(SegmentHeader(1)) + pack(KEY, lines[2:])
    (tmp_path / "journal/00000001.log").write_bytes(records)
    run = CliRunner().invoke
    assert "There is a journal" in run(main, ["verify", "--data", str(tmp_path)]).output
    done = run(main, ["recover", "--data", str(tmp_path)])
    assert (done.exit_code, "2 lines were put back, 0 put aside." in done.output) == (0, True)
    assert room.read_bytes().splitlines()[1:] == lines
    again = run(main, ["recover", "--data", str(tmp_path)])
    assert (again.exit_code, "0 lines were put back" in again.output) == (0, True)


def test_not_beside_a_server(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    done = CliRunner().invoke(main, ["recover", "--data", str(tmp_path)])
    folder.release()
    assert (done.exit_code, "Another EdgeChat server" in done.output) == (1, True)
