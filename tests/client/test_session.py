from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edgechat.chat.line import NO_HASH, Token
from edgechat.client.closes import Ended
from edgechat.client.errors import Expelled, Refused, Unreachable
from edgechat.client.events import (
    Disconnected,
    Error,
    Event,
    Joined,
    Limits,
    Members,
    Quit,
    Ready,
    Reset,
    Typing,
)
from edgechat.client.frames import BadFrame
from edgechat.client.options import Options
from edgechat.client.session import Session

from .lines import h_of, line, message, ready, refusal

OPTIONS = Options(random=lambda: 1.0)


def a_session(since: Token | None = None, **options: Any) -> Session:
    return Session("alice", 100, since, replace(OPTIONS, **options), now=0)


def joined(*frames: str, head: int = 0, **options: Any) -> Session:
    session = a_session(**options)
    join(session, *frames, ready(head))
    return session


def join(session: Session, *frames: str, now: float = 0) -> dict[str, Any]:
    hello: dict[str, Any] = json.loads(session.connected(now))
    for frame in frames:
        session.received(frame, now)
    return hello


def taken(session: Session) -> list[Event]:
    return [session.take() for _ in range(len(session.timeline.feed))]


def sent(session: Session, now: float = 0) -> list[Any]:
    return [json.loads(frame) for frame in session.due(now)]


def test_the_first_join() -> None:
    session = a_session()
    own = ('{"joined":"bob"}', line(5), '{"joined":"alice"}', ready(5))
    assert join(session, *own) == {"name": "alice", "v": 2, "backlog": 100}
    limits = Limits(message_chars=20)
    here = Ready("lobby", 5, h_of(5), 2, ("bob", "alice"), resumed=False, limits=limits)
    assert taken(session) == [message(5), here]
    assert session.roster.names == ("bob", "alice")


def test_what_happens_in_a_room() -> None:
    session = joined()
    taken(session)
    frames = ['{"joined":"eve"}', line(1), '{"typing":["eve"]}', '{"quit":"eve"}']
    frames += ['{"members":300}', '{"pong":1}', '{"of a":"later protocol"}']
    for frame in frames:
        assert session.received(frame, 0) == []
    happened = [Joined("eve"), message(1), Typing(("eve",)), Quit("eve"), Members(300)]
    assert taken(session) == happened
    assert session.roster.members == 300


def test_the_hello_resumes_from_what_was_kept_taken_or_not() -> None:
    session = joined(line(4), line(5), head=5)
    session.disconnected(Ended(), now=1)
    assert join(session)["since"] == {"seq": 5, "h": h_of(5)}


def test_a_room_without_a_file_is_resumed_from_its_start() -> None:
    session = a_session()
    join(session, ready(0, h=NO_HASH))
    session.disconnected(Ended(), now=1)
    assert join(session)["since"] == {"seq": 0, "h": NO_HASH}


def test_resumed() -> None:
    session = joined(line(5), head=5)
    session.disconnected(Ended(1012, "restart"), now=1)
    join(session, '{"joined":"alice"}', line(6), ready(6, recovered=True))
    events = taken(session)[2:]
    assert events[:2] == [Disconnected(1012, "restart", 1.0), message(6)]
    assert isinstance(events[2], Ready)
    assert events[2].resumed
    assert events[2].roster == ("alice",)


@pytest.mark.parametrize("reason", ["forked", "trimmed", "far"])
def test_not_resumed(reason: str) -> None:
    session = a_session(since=Token(50, h_of(50)))
    join(session, line(1), ready(1, recovered=False, reason=reason))
    events = taken(session)
    assert events[:2] == [Reset(reason), message(1)]
    assert isinstance(events[2], Ready)
    assert not events[2].resumed


def test_a_server_that_does_not_resume() -> None:
    session = a_session(since=Token(50, h_of(50)))
    join(session, line(51), ready(51))
    assert taken(session)[0] == Reset("unknown")


def test_nothing_is_said_before_ready() -> None:
    session = a_session()
    session.say("hi", "c1", retry=True)
    join(session)
    assert sent(session) == []
    session.received(ready(0), 0)
    assert sent(session) == [{"message": "hi", "id": "c1"}]


def test_a_say_is_answered_by_its_line() -> None:
    session = joined()
    entry = session.say("hi", "c1", retry=True)
    assert session.received(line(1, "hi", "alice", id="c1"), 0) == [entry]
    assert entry.answer == message(1, "hi", "alice", id="c1")


def test_a_say_is_answered_by_a_line_of_the_resume() -> None:
    session = joined()
    entry = session.say("hi", "c1", retry=True)
    sent(session)
    session.disconnected(Ended(), now=0)
    session.connected(now=1)
    assert session.received(line(1, "hi", "alice", id="c1"), 0) == [entry]
    session.received(ready(1, recovered=True), 1)
    assert sent(session) == []


def test_a_repeat_is_answered_by_an_old_line_that_is_no_event() -> None:
    session = joined(line(9), head=9)
    taken(session)
    entry = session.say("hi", "c1", retry=True)
    assert session.received(line(3, "hi", "alice", id="c1"), 0) == [entry]
    assert taken(session) == []
    assert session.timeline.token == Token(9, h_of(9))


def test_a_line_that_is_not_the_next_answers_nothing_yet() -> None:
    session = joined(line(1), head=1)
    session.say("hi", "c1", retry=True)
    with pytest.raises(BadFrame):
        session.received(line(3, "hi", "alice", id="c1"), 0)
    assert "c1" in session.outbox


def test_a_refusal_of_nothing_that_waits_is_an_event() -> None:
    session = joined()
    taken(session)
    assert session.received(refusal("bad_frame"), 0) == []
    session.received(refusal("rate_limited", id="gone", retry_after_ms=9), 0)
    assert taken(session) == [
        Error("bad_frame", "No."),
        Error("rate_limited", "No.", "gone", 9),
    ]


def test_refused() -> None:
    session = joined()
    entry = session.say("hi", "c1", retry=True)
    assert session.received(refusal("id_conflict", id="c1"), 0) == [entry]
    assert isinstance(entry.answer, Refused)
    assert (entry.answer.code, entry.answer.text) == ("id_conflict", "No.")


def test_the_servers_limit_is_known_here() -> None:
    session = joined()
    with pytest.raises(Refused, match="21 characters, at most 20"):
        session.say("x" * 21, "c1", retry=True)
    assert len(session.outbox) == 0


def test_a_limit_that_shrank_while_away() -> None:
    session = joined()
    entry = session.say("x" * 15, "c1", retry=True)
    session.disconnected(Ended(), now=0)
    session.connected(now=1)
    assert session.received(ready(0, True, limits={"message_chars": 10}), 1) == [entry]
    assert isinstance(entry.answer, Refused)


def test_a_name_too_long() -> None:
    session = a_session()
    join(session, refusal("name_too_long"))
    with pytest.raises(Expelled) as caught:
        session.disconnected(Ended(1009, ""), now=0)
    assert (caught.value.code, caught.value.error, caught.value.text) == (
        1009,
        "name_too_long",
        "No.",
    )


def test_an_error_of_an_earlier_connection_explains_nothing() -> None:
    session = joined()
    session.received(refusal("empty_message"), 0)
    session.disconnected(Ended(), now=0)
    join(session)
    with pytest.raises(Expelled, match="1008: bye") as caught:
        session.disconnected(Ended(1008, "bye"), now=1)
    assert caught.value.error is None


def test_never_joined() -> None:
    with pytest.raises(Unreachable, match="refused"):
        a_session(join_within=0).disconnected(Ended(text="Connection refused"), now=0)


def test_attempts_that_fail_are_no_events() -> None:
    session = joined()
    taken(session)
    for now in range(5):
        session.disconnected(Ended(), now)
    assert taken(session) == [Disconnected(1006, "the connection was lost", 1.0)]


def test_typing_is_told_every_three_seconds() -> None:
    session = joined()
    told = []
    for now in range(7):
        session.type(now)
        told.append(sent(session, now))
    typing = [{"typing": True}]
    assert told == [typing, [], [], typing, [], [], typing]


def test_typing_while_away_is_forgotten() -> None:
    session = a_session()
    session.type(0)
    join(session, ready(0))
    assert sent(session) == []


def test_pings() -> None:
    session = joined(ping_interval=15, ping_timeout=10)
    assert session.wake_at == 15
    assert sent(session, now=15) == [{"ping": 1}]
    assert session.wake_at == 25
    assert session.is_dead(25)
    session.received('{"pong":1}', 24)
    assert not session.is_dead(25)


def test_a_join_that_takes_long_is_watched_too() -> None:
    session = a_session()
    join(session)
    assert sent(session, now=15) == [{"ping": 1}]


def test_a_full_feed_stops_the_reading_until_someone_waits_for_an_answer() -> None:
    session = joined(line(1), head=1, buffer=2)
    assert not session.may_read
    entry = session.say("hi", "c1", retry=True)
    assert session.may_read
    session.received(line(2), 0)
    assert session.received(line(3, "hi", "alice", id="c1"), 0) == [entry]
    assert not session.may_read
    assert not session.should_rejoin
    assert len(taken(session)) == 2
    assert session.should_rejoin
    assert session.disconnected(Ended(), now=0) == 0.0
    assert join(session)["since"] == {"seq": 1, "h": h_of(1)}
    session.received(line(2), 0)
    session.received(line(3, "hi", "alice", id="c1"), 0)
    session.received(ready(3, recovered=True), 0)
    assert taken(session)[:2] == [message(2), message(3, "hi", "alice", id="c1")]
    assert not session.should_rejoin


@pytest.mark.parametrize(
    "frame", ["", "[]", '{"seq":0,"h":"a","message":""}', '{"seq":1}', '{"seq":1,"h":"a"}']
)
def test_what_is_not_of_the_protocol(frame: str) -> None:
    with pytest.raises(BadFrame):
        joined().received(frame, 0)
