"""What a node does to history files by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgechat.nodes import history_files
from edgechat.nodes.chain import Point
from tests.serving.files import header, make_lines, write


def test_the_last_place_of_a_file(tmp_path: Path) -> None:
    lines = make_lines(50)
    write(tmp_path / "lobby.jsonl", lines)
    place = Point(50, bytes.fromhex(lines[-1][-18:-2].decode()))
    assert history_files.last_point(tmp_path / "lobby.jsonl") == place
    assert history_files.last_point(tmp_path / "none.jsonl") is None
    (tmp_path / "torn.jsonl").write_bytes(header("torn") + lines[0] + b"\n" + lines[1][:30])
    assert history_files.last_point(tmp_path / "torn.jsonl") is None


def test_a_tail_is_moved_beside_the_file(tmp_path: Path) -> None:
    path, lines = tmp_path / "lobby.jsonl", make_lines(3_000, "x" * 100)
    write(path, lines)
    for keep in (2_000, 1_000, 0):
        history_files.set_aside(path, keep)
        assert path.read_bytes().splitlines() == [header("lobby").strip(), *lines[:keep]]
        kept = tmp_path / f"lobby.jsonl.forked-{keep + 1}"
        assert kept.read_bytes().splitlines() == lines[keep:]
        lines = lines[:keep]


def test_no_earlier_tail_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "lobby.jsonl"
    for _ in range(2):
        write(path, make_lines(2))
        history_files.set_aside(path, 1)
    assert len(list(tmp_path.glob("*.forked-*"))) == 2


def test_a_whole_file_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "lobby.jsonl"
    data = write(path, make_lines(2))
    history_files.set_aside(path, None)
    assert not path.exists()
    assert (tmp_path / "lobby.jsonl.forked-1").read_bytes() == data


def test_a_header_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lobby.jsonl"
    history_files.begin(path, header("lobby"))
    assert history_files.read_header(path) == header("lobby")
    with pytest.raises(FileExistsError):
        history_files.begin(path, header("lobby"))
    monkeypatch.setattr("edgechat.system.write", lambda fd, data: 3)
    with pytest.raises(OSError, match="a part"):
        history_files.begin(tmp_path / "other.jsonl", header("other"))
    assert not (tmp_path / "other.jsonl").exists()
