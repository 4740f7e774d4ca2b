from __future__ import annotations

import pytest

from edgechat.cli.showing import coloured, message_line, printable, printable_text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("alice", "alice"),
        ("\x1b[31mroot", "\\x1b[31mroot"),
        ("a\rb\nc\td\0", "a\\x0db\\x0ac\\x09d\\x00"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("a\u202eb\u2028", "a\\u202eb\\u2028"),
        ("\ud800", "\\ud800"),
        ("世界 🙂 é", "世界 🙂 é"),
    ],
)
def test_a_name_does_not_steer_the_terminal(name: str, shown: str) -> None:
    assert printable(name) == shown


def test_a_message_keeps_its_lines_and_none_poses_as_another() -> None:
    text = "one\n2026-01-01 00:00:00 bob: two\t\x1b]0;title\x07"
    assert printable_text(text) == "one\n    2026-01-01 00:00:00 bob: two\t\\x1b]0;title\\x07"


def test_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = message_line(1_763_880_000_123, "al\x1bice", "hi", colour=False)
    assert line.endswith(" al\\x1bice: hi")
    assert message_line(10**20, "a", "b", colour=False) == f"{10**20} a: b"


def test_a_name_has_one_colour() -> None:
    assert coloured("alice", True) == coloured("alice", True) != "alice"
    assert coloured("alice", False) == "alice"
