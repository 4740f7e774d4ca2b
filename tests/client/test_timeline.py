from __future__ import annotations

import pytest

from edgechat.chat.line import Token
from edgechat.client.events import Event, Joined, Lost, Ready, Reset, Typing, UnknownRecord
from edgechat.client.timeline import MAX_HELD, MAX_HOLE, Timeline
from edgechat.client.wire import BadFrame

from .lines import h_of, message


def at(seq: int) -> Ready:
    return Ready("lobby", seq, h_of(seq), members=1)


def token(seq: int) -> Token:
    return Token(seq, h_of(seq))


def join(timeline: Timeline, *seqs: int, head: int, reset: str | None = None) -> None:
    timeline.begin()
    for seq in seqs:
        timeline.add_line(message(seq))
    timeline.ready(at(head), reset)


def joined(*seqs: int, head: int, since: Token | None = None, capacity: int = 100) -> Timeline:
    timeline = Timeline(capacity, since)
    join(timeline, *seqs, head=head)
    return timeline


def drain(timeline: Timeline) -> list[Event]:
    return [timeline.feed.take() for _ in range(len(timeline.feed))]


def test_lines_are_held_until_ready() -> None:
    timeline = Timeline(100, None)
    timeline.begin()
    timeline.add_line(message(6))
    assert not timeline.feed
    timeline.ready(at(6), None)
    assert drain(timeline) == [message(6), at(6)]


def test_repeats_are_given_out_once() -> None:
    timeline = joined(5, 6, head=6)
    timeline.add_line(message(5))
    timeline.add_line(message(6))
    timeline.add_line(message(7))
    assert drain(timeline) == [message(5), message(6), at(6), message(7)]


def test_a_resume_goes_on_where_the_last_line_was() -> None:
    timeline = joined(5, 6, head=6)
    drain(timeline)
    join(timeline, 6, 7, 8, head=8)
    assert drain(timeline) == [message(7), message(8), at(8)]


def test_a_cut_before_ready_leaves_nothing_behind() -> None:
    timeline = joined(5, head=5)
    timeline.begin()
    timeline.add_line(message(6))
    join(timeline, 6, 7, head=7)
    assert drain(timeline)[2:] == [message(6), message(7), at(7)]


def test_a_resume_that_can_not_says_so_first() -> None:
    timeline = joined(5, head=5)
    join(timeline, 1, 2, head=2, reset="forked")
    assert drain(timeline)[2:] == [Reset("forked"), message(1), message(2), at(2)]
    assert timeline.token == token(2)


def test_a_hole_in_live_lines_is_for_a_resume_to_mend() -> None:
    timeline = joined(5, head=5)
    with pytest.raises(BadFrame, match="line 7 came after line 5"):
        timeline.add_line(message(7))
    assert timeline.token == token(5)


def test_a_hole_in_a_join_is_lost_lines() -> None:
    timeline = joined(5, head=5)
    join(timeline, 8, head=8)
    assert drain(timeline)[2:] == [Lost(6), Lost(7), message(8), at(8)]


def test_a_huge_hole_is_no_history() -> None:
    timeline = joined(5, head=5)
    timeline.begin()
    timeline.add_line(message(7 + MAX_HOLE))
    with pytest.raises(BadFrame):
        timeline.ready(at(7 + MAX_HOLE), None)


def test_endless_lines_before_ready_are_no_join() -> None:
    timeline = Timeline(100, None)
    timeline.begin()
    for seq in range(1, MAX_HELD + 1):
        timeline.add_line(message(seq))
    with pytest.raises(BadFrame):
        timeline.add_line(message(MAX_HELD + 1))


def test_one_who_saw_no_line_resumes_from_the_head() -> None:
    timeline = joined(head=9)
    assert timeline.token == token(9)
    timeline.add_line(message(10))
    assert timeline.token == token(10)


def test_a_lost_line_is_no_token_but_is_not_given_out_twice() -> None:
    timeline = joined(5, head=5)
    timeline.add_line(Lost(6))
    assert timeline.token == token(5)
    timeline.begin()
    timeline.add_line(Lost(6))
    timeline.add_line(message(7))
    timeline.ready(at(7), None)
    assert drain(timeline) == [message(5), at(5), Lost(6), message(7), at(7)]


def test_a_later_kind_takes_its_seq() -> None:
    timeline = joined(5, head=5)
    timeline.add_line(UnknownRecord(6, "topic", h_of(6)))
    timeline.add_line(message(7))
    assert drain(timeline)[2:] == [UnknownRecord(6, "topic", h_of(6)), message(7)]


def test_a_later_kind_is_a_token() -> None:
    timeline = joined(5, head=5)
    timeline.add_line(UnknownRecord(6, "topic", h_of(6)))
    assert timeline.token == token(6)


@pytest.mark.parametrize(("head", "resumes_from"), [(5, 4), (6, 6), (7, 4)])
def test_the_head_stands_in_for_a_lost_line_but_for_no_other(head: int, resumes_from: int) -> None:
    timeline = joined(4, head=4)
    timeline.add_line(Lost(5))
    timeline.add_line(Lost(6))
    join(timeline, head=head)
    assert timeline.token == token(resumes_from)


def test_the_users_token_is_that_of_what_was_taken() -> None:
    timeline = joined(5, 6, head=6, since=token(4))
    assert timeline.feed.token == token(4)
    timeline.feed.take()
    assert timeline.feed.token == token(5)


def test_what_overflows_is_fetched_by_joining_again() -> None:
    timeline = joined(head=0, capacity=3)
    timeline.add_line(message(1))
    timeline.add_line(message(2))  # with the ready, 3 wait: full
    timeline.add_line(message(3))
    timeline.add_event(Joined("eve"))
    assert timeline.is_behind
    assert timeline.token == token(2)
    assert drain(timeline) == [at(0), message(1), message(2)]
    timeline.add_line(message(4))
    assert not timeline.feed
    join(timeline, 3, 4, head=4)
    assert drain(timeline) == [message(3), message(4), at(4)]
    assert not timeline.is_behind


def test_a_join_that_finds_no_room_is_repeated_too() -> None:
    timeline = joined(1, 2, head=2, capacity=3)
    join(timeline, 3, head=3)
    assert timeline.is_behind
    assert timeline.token == token(2)


def test_who_types_is_worth_no_joining_again() -> None:
    timeline = joined(1, 2, head=2, capacity=3)
    timeline.add_hint(Typing(("bob",)))
    assert not timeline.is_behind
    assert len(timeline.feed) == 3
