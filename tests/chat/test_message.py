from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from edgechat.chat.errors import Code, Refusal
from edgechat.chat.message import check_message
from edgechat.chat.protocol import Say, plain_say, say
from tests.chat.examples import examples, titles

MESSAGES = examples("messages")

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


@pytest.mark.parametrize(("what", "text", "taken"), MESSAGES, ids=titles(MESSAGES))
def test_what_may_be_said(what: str, text: str, taken: bool) -> None:
    if taken:
        check_message(say(text), max_chars=20)
        return
    with pytest.raises(Refusal) as caught:
        check_message(say(text), max_chars=20)
    assert caught.value.code == "empty_message"


@pytest.mark.parametrize(("what", "text", "taken"), MESSAGES, ids=titles(MESSAGES))
def test_the_fast_path_takes_nothing_that_the_whole_check_refuses(
    what: str, text: str, taken: bool
) -> None:
    said = plain_say(json.dumps({"message": text}, ensure_ascii=False, separators=(",", ":")), 20)
    assert taken or said is None


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
