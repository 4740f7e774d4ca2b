from __future__ import annotations

import sys
import unicodedata

import pytest

from edgechat.chat.errors import Code, Refusal
from edgechat.chat.message import check_message
from edgechat.chat.protocol import Say, say

GOOD = ["hi", "a\nb\tc", "😀" * 20, "x" * 20, "\u202e", "\u200b", " a ", "日本"]

BAD: list[tuple[str, Code]] = [
    ("x" * 21, "message_too_long"),
    (" " * 21, "message_too_long"),
    ("\0" * 21, "message_too_long"),
    ("", "empty_message"),
    (" \n\t", "empty_message"),
    ("\u3000\u00a0\u2028", "empty_message"),
    ("a\0", "bad_message"),
    ("a\rb", "bad_message"),
    ("\x1b[31m", "bad_message"),
]


@pytest.mark.parametrize("text", GOOD)
def test_what_may_be_said(text: str) -> None:
    check_message(say(text), max_chars=20)


@pytest.mark.parametrize(("text", "code"), BAD)
def test_what_may_not(text: str, code: Code) -> None:
    with pytest.raises(Refusal) as caught:
        check_message(say(text, "c1"), max_chars=20)
    assert (caught.value.code, caught.value.id, caught.value.close) == (code, "c1", None)


def is_refused(text: str) -> bool:
    try:
        check_message(Say(text, None, b""), max_chars=20)
    except Refusal:
        return True
    return False


def test_every_control_character_but_newline_and_tab() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        is_control = unicodedata.category(character) == "Cc" and character not in "\n\t"
        assert is_refused(f"a{character}b") is is_control, ascii(character)
