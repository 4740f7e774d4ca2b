"""`edgechat replay`: what it says of histories, and of what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgechat.cli.main import main
from tests.serving.files import make_lines, rechained, write

LINES = make_lines(12, ids=True)


def replay(capsys: pytest.CaptureFixture[str], path: Path | str) -> tuple[int, list[str], str]:
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(path)])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out.splitlines(), told.err


def test_a_good_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "lobby.jsonl", LINES)
    assert replay(capsys, tmp_path / "lobby.jsonl")[:2] == (
        0,
        ["12 lines: none came out otherwise."],
    )


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(5_000), b'{"edgechat":1', None])
def test_what_is_not_a_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = Path("/dev/null") if content is None else tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    code, told, error = replay(capsys, path)
    assert (code, told) == (1, [])
    assert f"{path} is not a history: " in error


def test_damage_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "x", [*LINES[:3], b"x" * 90, b"y" * 90, *LINES[5:8], *LINES[9:]])
    code, told, _ = replay(capsys, tmp_path / "x")
    assert code == 1
    assert told == [
        "lines 4 to 5 are damaged or missing",
        "line 9 is damaged or missing",
        "9 lines: none came out otherwise. 3 are damaged or missing.",
    ]


def test_a_difference_is_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = [line.replace(b'"4 "', '"é\u202e","x":"y"'.encode()) for line in LINES]
    write(tmp_path / "x", rechained(forged))
    code, told, _ = replay(capsys, tmp_path / "x")
    assert code == 1
    assert told[0].startswith('line 4 is stored as {"seq":4,')
    assert '"message":"é\\u202e","x":"y"' in told[0]
    assert '"message":"é\\u202e","id":"c4"' in told[1]
    assert told[2:] == ["12 lines: 1 came out otherwise."]


def test_later_kinds_are_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = b'{"seq":5,"timestamp":1763880000005,"kind":"topic","topic":"x","h":"%s"}' % (b"0" * 16)
    write(tmp_path / "x", rechained([*LINES[:4], kind, *LINES[5:]]))
    code, told, _ = replay(capsys, tmp_path / "x")
    assert (code, told) == (
        0,
        ["11 lines: none came out otherwise. 1 of later kinds were passed over."],
    )
