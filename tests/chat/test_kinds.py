"""One table says who may see a record, and the places that send lines ask it."""

from __future__ import annotations

import pytest

from edgechat.chat.backlog import Backlog
from edgechat.chat.kinds import KINDS, is_for, kind_of
from edgechat.chat.line import Entry

from .rooms import BASE, brief, frames, lines

TOPIC = b'{"seq":2,"timestamp":1763880000125,"kind":"topic","topic":"x","h":"0123456789abcdef"}'
MESSAGE = lines(1)[0]
QUOTING = MESSAGE.replace(b'"m1"', rb'"a,\"kind\":\"topic\""')


@pytest.mark.parametrize(
    ("line", "v1", "replayed"),
    [
        (MESSAGE, True, True),
        (QUOTING, True, True),  # it only says so in its text
        (TOPIC, False, False),
        (TOPIC.replace(b'"topic",', b'"t\\u006fpic",'), False, False),
        (TOPIC.replace(b'"topic",', b"7,"), False, False),
    ],
)
def test_who_may_see_a_line_by_its_own_word(line: bytes, v1: bool, replayed: bool) -> None:
    assert kind_of(line) == (v1, replayed)
    assert (is_for(line, v2=False), is_for(line, v2=True)) == (v1, True)


def test_a_damaged_line_is_for_v2_only() -> None:
    assert (is_for(None, v2=False), is_for(None, v2=True)) == (False, True)
    assert KINDS["lost"].for_v1 is False


def test_a_record_of_a_later_kind_read_back_is_not_in_the_backlog_of_v1() -> None:
    backlog = Backlog(BASE, 100, 100_000)
    first, _, third = lines(3)
    backlog.fill([Entry(1, first, bytes(8)), Entry(2, TOPIC, bytes(8)), Entry(3, third, bytes(8))])
    assert [brief(frame) for frame in frames(backlog.after(0, v2=False))] == ["1 m1", "3 m3"]
    assert [brief(frame) for frame in frames(backlog.after(0, v2=True))] == [
        "1 m1",
        "2 topic",
        "3 m3",
    ]
    assert backlog.line(2) == TOPIC


def test_a_backlog_lets_go_of_what_it_knows_of_old_lines() -> None:
    backlog = Backlog(BASE, 1, 100_000)
    backlog.fill([Entry(1, TOPIC, bytes(8)), Entry(2, None, None), Entry(3, MESSAGE, bytes(8))])
    assert len(frames(backlog.after(2, v2=False))) == 1
    assert backlog.start == 2
