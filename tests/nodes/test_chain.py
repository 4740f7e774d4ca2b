"""Lines from the engine are believed as far as they are chained."""

from __future__ import annotations

import pytest

from edgechat.chat.line import Entry, StoredLine
from edgechat.nodes.chain import Point, beyond, follow, join, split, whole
from edgechat.nodes.errors import Forked
from tests.rooms.storage_contract import follow as make
from tests.rooms.storage_contract import raw

START = StoredLine(0, bytes(8), 0, b"")
LINES = make(START, ["one", "two", "three", "four"])
BEGIN = Point(0, bytes(8))


def test_what_goes_on_is_followed() -> None:
    assert follow(BEGIN, raw(LINES)) == LINES
    assert split(join(raw(LINES))) == raw(LINES)


@pytest.mark.parametrize(
    "wrong",
    [
        raw(LINES)[1:],
        [raw(LINES)[0], raw(LINES)[2]],
        [raw(LINES)[0].replace(b"one", b"eno"), *raw(LINES)[1:]],
        [raw(LINES)[0].replace(b'"seq":1', b'"seq":2')],
        [b"rubbish"],
    ],
)
def test_what_does_not_is_a_fork(wrong: list[bytes]) -> None:
    with pytest.raises(Forked):
        follow(BEGIN, wrong)


def test_what_is_known_is_left_out() -> None:
    assert beyond(Point(2, LINES[1].h), raw(LINES)) == raw(LINES)[2:]
    assert beyond(BEGIN, raw(LINES)) == raw(LINES)
    assert list(beyond(Point(9, bytes(8)), raw(LINES))) == []


def test_a_damaged_line_ends_what_is_given_away() -> None:
    entries = [Entry(1, b"a", b""), Entry(2, None, None), Entry(3, b"c", b"")]
    assert whole(entries) == [b"a"]
