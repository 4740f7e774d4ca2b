"""One table says who may see a record, and the places that send lines ask it."""

from __future__ import annotations

import msgspec
import pytest

from edgechat.chat.apply import apply
from edgechat.chat.backlog import Backlog
from edgechat.chat.commands import Join
from edgechat.chat.kinds import KINDS, is_for, kind_of
from edgechat.chat.line import Entry, StoredLine

from .rooms import BASE, a_room, a_session, batch, brief, briefs, drafted, enter, frames, lines, say

TOPIC = b'{"seq":2,"timestamp":1763880000125,"kind":"topic","topic":"x","h":"0123456789abcdef"}'
MESSAGE = lines(1)[0]
QUOTING = MESSAGE.replace(b'"m1"', rb'"a,\"kind\":\"topic\""')


@pytest.mark.parametrize(
    ("line", "v1", "has_rules"),
    [
        (MESSAGE, True, True),
        (QUOTING, True, True),  # it only says so in its text
        (TOPIC, False, False),
        (TOPIC.replace(b'"topic",', b'"t\\u006fpic",'), False, False),
        (TOPIC.replace(b'"topic",', b"7,"), False, False),
    ],
)
def test_who_may_see_a_line_by_its_own_word(line: bytes, v1: bool, has_rules: bool) -> None:
    assert kind_of(line) == (v1, has_rules)
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


@pytest.mark.parametrize("among_comings", [False, True])
def test_a_record_of_a_later_kind_that_is_made_now_is_for_v2_only(among_comings: bool) -> None:
    room = a_room()
    alice, bob, carol = a_session(), a_session("bob", v2=True), a_session("carol")
    enter(room, alice, bob)
    draft = drafted(room, say(alice, "m1"), say(alice, "m2"), *([Join(carol, 0)] * among_comings))
    first, second = draft.verdicts
    assert isinstance(second, StoredLine)
    topic = msgspec.structs.replace(second, line=TOPIC, kind="topic")
    draft = msgspec.structs.replace(
        draft, verdicts=[first, topic], lines=[draft.lines[0], topic.line]
    )
    outcome = apply(room, draft, 0)
    assert briefs(outcome, alice)[:1] == ["1 m1"]
    assert "2 topic" not in briefs(outcome, alice)
    assert briefs(outcome, bob)[:2] == ["1 m1", "2 topic"]
    newcomer = a_session("dave")
    assert "2 topic" not in briefs(batch(room, Join(newcomer, 0)), newcomer)
    newcomer = a_session("erin", v2=True)
    assert "2 topic" in briefs(batch(room, Join(newcomer, 0)), newcomer)
