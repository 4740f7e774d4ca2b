from __future__ import annotations

import pytest

from edgechat.cli.editor import Editor, text_width
from edgechat.cli.keys import Key, Keys


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ("añ世", ["a", "ñ", "世"]),
        ("a\r", ["a", Key.ENTER]),
        ("\x1b[A\x1bOB\x1b[1;5C\x1b[3~", [Key.UP, Key.DOWN, Key.DELETE]),
        ("\x1b\r", [Key.NEW_LINE]),
        ("\x1bx\x00\x1b[<0;1;1Ma", ["a"]),
        ("\x1b[200~a\r\x1b[Ab\x1b[201~c", ["a\n\x1b[Ab", "c"]),
        ("\x7f\x17\x15\x04", [Key.BACKSPACE, Key.ERASE_WORD, Key.ERASE_LINE, Key.END_OF_INPUT]),
    ],
)
def test_keys_come_out_however_their_bytes_come_in(data: str, keys: list[object]) -> None:
    assert Keys().feed(data.encode()) == keys
    split = Keys()
    assert [key for byte in data.encode() for key in split.feed(bytes([byte]))] == keys


def test_an_escape_that_never_ends_is_given_up() -> None:
    keys = Keys()
    keys.feed(b"\x1b[" + b"1" * 100 + b"\x80")
    assert keys.feed(b"ab")[-1] == "b"


def typed(*keys: Key | str) -> Editor:
    editor = Editor()
    for key in keys:
        editor.press(key)
    return editor


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        (("abc",), "abc", 3),
        (("abc", Key.LEFT, "X"), "abXc", 3),
        (("abc", Key.HOME, "X"), "Xabc", 1),
        (("abc", Key.HOME, Key.LEFT, Key.DELETE), "bc", 0),
        (("abc", Key.BACKSPACE), "ab", 2),
        ((Key.BACKSPACE, Key.DELETE, Key.LEFT, Key.RIGHT), "", 0),
        (("one two  ", Key.ERASE_WORD), "one ", 4),
        (("one", Key.ERASE_WORD), "", 0),
        (("one two", Key.LEFT, Key.ERASE_LINE), "o", 0),
        (("a", Key.NEW_LINE, "b"), "a\nb", 3),
        (("e\u0301x", Key.HOME, Key.RIGHT), "e\u0301x", 2),
    ],
)
def test_typing(keys: tuple[Key | str, ...], text: str, at: int) -> None:
    editor = typed(*keys)
    assert (editor.text, editor.at) == (text, at)


def test_what_was_said_is_called_back() -> None:
    editor = Editor()
    for text in ("one", "two", " "):
        editor.press(text)
        assert editor.press(Key.ENTER) == text
    editor.press("begun")
    seen = []
    for key in (Key.UP, Key.UP, Key.UP, Key.DOWN, Key.DOWN, Key.DOWN):
        editor.press(key)
        seen.append(editor.text)
    assert seen == ["two", "one", "one", "two", "begun", "begun"]


def test_a_text_is_offered_only_where_nothing_is_typed() -> None:
    editor = Editor()
    editor.offer("again")
    editor.offer("other")
    assert editor.text == "again"


@pytest.mark.parametrize(
    ("keys", "columns", "row", "column"),
    [
        (("hi",), 20, "me> hi", 6),
        (("hi", Key.HOME), 20, "me> hi", 4),
        (("0123456789",), 10, "me> 56789", 9),
        (("0123456789", Key.HOME), 10, "me> 01234", 4),
        (("世界世界",), 10, "me> 世界", 8),
        (("a\nb\tc\x1b",), 20, "me> a⏎b c?", 10),
        (("x",), 1, "me> x", 5),
    ],
)
def test_a_row(keys: tuple[Key | str, ...], columns: int, row: str, column: int) -> None:
    assert typed(*keys).view("me> ", columns) == (row, column)


def test_widths() -> None:
    assert [text_width(text) for text in ("a", "世", "e\u0301", "🙂", "\u200d")] == [1, 2, 1, 2, 0]
