from __future__ import annotations

import json
from hashlib import blake2b

import pytest

from edgechat.chat import line as lines
from edgechat.chat.line import Damaged, StoredLine, encode_name, encode_said, parse_line

BASE = bytes.fromhex("0011223344556677")
START = StoredLine(0, BASE, 0, b"")
NOW_MS = 1763880000123
EXAMPLE = (
    b'{"seq":1,"timestamp":1763880000123,"name":"alice","message":"hi","id":"c1"'
    b',"h":"cb9bb2ac255d77ea"}'
)

TEXTS = ["hi", "", 'quo"te', "back\\slash", "a\nb\tc", "ä 日本 😀", "\u2028", "<b>&amp;", "/"]


def test_the_worked_example_of_the_protocol() -> None:
    line = START.next(NOW_MS, b'"alice"', encode_said("hi", "c1"))
    assert line.line == EXAMPLE
    assert line.token == (1, "cb9bb2ac255d77ea")
    assert lines.chain(BASE, EXAMPLE).hex() == "cb9bb2ac255d77ea"


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_says_what_was_said_and_is_chained_over_its_own_bytes(text: str) -> None:
    new = START.next(NOW_MS, encode_name('bo"b'), encode_said(text, None))
    said = json.loads(new.line)
    assert list(said) == ["seq", "timestamp", "name", "message", "h"]
    assert (said["name"], said["message"]) == ('bo"b', text)
    assert b"\n" not in new.line
    bare = new.line.replace(b',"h":"%b"' % new.h.hex().encode(), b"")
    digest = blake2b(bare, digest_size=8).digest()
    assert new.h == blake2b(BASE + digest, digest_size=8).digest()
    assert lines.chain(BASE, new.line) == new.h == lines.claimed(new.line)


def test_text_outside_ascii_stands_as_itself() -> None:
    assert "日本 😀".encode() in START.next(NOW_MS, b'"a"', encode_said("日本 😀", None)).line


# Stored, then the clock: the next timestamp is max(now, last + 1).
@pytest.mark.parametrize(
    ("last", "now", "stamp"), [(0, 5, 5), (5, 5, 6), (5, 4, 6), (5, -9, 6), (5, 6, 6), (5, 7, 7)]
)
def test_timestamps_rise_whatever_the_clock_does(last: int, now: int, stamp: int) -> None:
    assert StoredLine(9, BASE, last, b"").next(now, b'"a"', encode_said("hi", None)).stamp == stamp


def test_a_line_follows_from_the_one_before() -> None:
    first = START.next(NOW_MS, b'"a"', encode_said("hi", None))
    second = first.next(NOW_MS, b'"a"', encode_said("hi", None))
    assert (second.seq, second.stamp) == (2, NOW_MS + 1)
    assert second.h == lines.chain(first.h, second.line) != lines.chain(BASE, second.line)


@pytest.mark.parametrize(
    "line", [b"", b"{}", EXAMPLE[:-1], EXAMPLE[:-4] + b'A"}', EXAMPLE[:-3] + b'"}', EXAMPLE + b" "]
)
def test_a_line_that_claims_no_h(line: bytes) -> None:
    assert lines.claimed(line) is None


def test_what_a_line_says() -> None:
    said = parse_line(EXAMPLE)
    assert (said.seq, said.timestamp, said.name, said.message, said.id, said.h, said.kind) == (
        1,
        NOW_MS,
        "alice",
        "hi",
        "c1",
        "cb9bb2ac255d77ea",
        None,
    )
    later = parse_line(b'{"seq":2,"timestamp":3,"kind":"topic","topic":"x","h":"00"}')
    assert (later.kind, later.message) == ("topic", "")


@pytest.mark.parametrize(
    "line",
    [b"", b"\0", b"[]", b"{}", EXAMPLE[:-1], EXAMPLE.replace(b"hi", b"h\xff"), b"[" * 100_000],
)
def test_a_line_that_says_nothing(line: bytes) -> None:
    with pytest.raises(Damaged):
        parse_line(line)
