from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edgechat.chat.line import NO_HASH, Token
from edgechat.client.conversation import Conversation
from edgechat.client.events import (
    Delayed,
    Disconnected,
    Error,
    Event,
    Joined,
    Limits,
    Members,
    Message,
    Quit,
    Ready,
    Reset,
    Typing,
)
from edgechat.client.failures import Expelled, Refused, Unreachable
from edgechat.client.ids import Ids
from edgechat.client.reconnect import Ended
from edgechat.client.room_options import Options
from edgechat.client.wire import BadFrame

from .lines import h_of, line, message, ready, refusal

OPTIONS = Options(random=lambda: 1.0)


def a_conversation(since: Token | None = None, **options: Any) -> Conversation:
    return Conversation("alice", 100, since, Ids("key"), replace(OPTIONS, **options), now=0)


def joined(*frames: str, head: int = 0, **options: Any) -> Conversation:
    conversation = a_conversation(**options)
    join(conversation, *frames, ready(head))
    return conversation


def join(conversation: Conversation, *frames: str, now: float = 0) -> dict[str, Any]:
    hello: dict[str, Any] = json.loads(conversation.connected(now))
    for frame in frames:
        conversation.received(frame, now)
    return hello


def taken(conversation: Conversation) -> list[Event]:
    return [conversation.take() for _ in range(len(conversation.timeline.feed))]


def sent(conversation: Conversation, now: float = 0) -> list[Any]:
    return [json.loads(frame) for frame in conversation.due(now)]


def test_the_first_join() -> None:
    conversation = a_conversation()
    own = ('{"joined":"bob"}', line(5), '{"joined":"alice"}', ready(5))
    assert join(conversation, *own) == {"name": "alice", "v": 2, "backlog": 100}
    limits = Limits(message_chars=20)
    here = Ready("lobby", 5, h_of(5), 2, ("bob", "alice"), resumed=False, limits=limits)
    assert taken(conversation) == [message(5), here]
    assert conversation.presence.names == ("bob", "alice")


def test_what_happens_in_a_room() -> None:
    conversation = joined()
    taken(conversation)
    frames = ['{"joined":"eve"}', line(1), '{"typing":["eve"]}', '{"quit":"eve"}']
    frames += ['{"members":300}', '{"pong":1}', '{"of a":"later protocol"}']
    for frame in frames:
        assert conversation.received(frame, 0) == []
    happened = [Joined("eve"), message(1), Typing(("eve",)), Quit("eve"), Members(300)]
    assert taken(conversation) == happened
    assert conversation.presence.members == 300


def test_the_hello_resumes_from_what_was_kept_taken_or_not() -> None:
    conversation = joined(line(4), line(5), head=5)
    conversation.disconnected(Ended(), now=1)
    assert join(conversation)["since"] == {"seq": 5, "h": h_of(5)}


def test_a_room_without_a_file_is_resumed_from_its_start() -> None:
    conversation = a_conversation()
    join(conversation, ready(0, h=NO_HASH))
    conversation.disconnected(Ended(), now=1)
    assert join(conversation)["since"] == {"seq": 0, "h": NO_HASH}


def test_resumed() -> None:
    conversation = joined(line(5), head=5)
    conversation.disconnected(Ended(1012, "restart"), now=1)
    join(conversation, '{"joined":"alice"}', line(6), ready(6, recovered=True))
    events = taken(conversation)[2:]
    assert events[:2] == [Disconnected(1012, "restart", 1.0), message(6)]
    assert isinstance(events[2], Ready)
    assert events[2].resumed
    assert events[2].roster == ("alice",)


@pytest.mark.parametrize("reason", ["forked", "trimmed", "far"])
def test_not_resumed(reason: str) -> None:
    conversation = a_conversation(since=Token(50, h_of(50)))
    join(conversation, line(1), ready(1, recovered=False, reason=reason))
    events = taken(conversation)
    assert events[:2] == [Reset(reason), message(1)]
    assert isinstance(events[2], Ready)
    assert not events[2].resumed


def test_a_server_that_does_not_resume() -> None:
    conversation = a_conversation(since=Token(50, h_of(50)))
    join(conversation, line(51), ready(51))
    assert taken(conversation)[0] == Reset("unknown")


def test_nothing_is_said_before_ready() -> None:
    conversation = a_conversation()
    conversation.say("hi", "c1", retry=True)
    join(conversation)
    assert sent(conversation) == []
    conversation.received(ready(0), 0)
    assert sent(conversation) == [{"message": "hi", "id": "c1"}]


def test_what_is_said_now_is_live_and_what_this_client_said_is_its_own() -> None:
    ours = Ids("key").new()
    conversation = joined(line(1), line(2, "hi", "alice", ours), head=2)
    for frame in (line(3), line(4, "hi", "alice", ours)):
        conversation.received(frame, 0)
    conversation.disconnected(Ended(), now=1)
    join(conversation, line(5), ready(5, recovered=True))
    messages = [event for event in taken(conversation) if isinstance(event, Message)]
    assert [event.live for event in messages] == [False, False, True, True, False]
    assert [event.mine for event in messages] == [False, True, False, True, False]


def test_a_wait_for_the_allowance_is_told() -> None:
    conversation = joined()
    taken(conversation)
    conversation.say("hi", "c1", retry=True)
    sent(conversation)
    assert conversation.received(refusal("rate_limited", "c1", retry_after_ms=3_200), 0) == []
    assert taken(conversation) == [Delayed("c1", "rate_limited", "No.", 3.2)]


def test_a_say_is_answered_by_its_line() -> None:
    conversation = joined()
    entry = conversation.say("hi", "c1", retry=True)
    assert conversation.received(line(1, "hi", "alice", id="c1"), 0) == [entry]
    assert entry.answer == message(1, "hi", "alice", id="c1")


def test_a_say_is_answered_by_a_line_of_the_resume() -> None:
    conversation = joined()
    entry = conversation.say("hi", "c1", retry=True)
    sent(conversation)
    conversation.disconnected(Ended(), now=0)
    conversation.connected(now=1)
    assert conversation.received(line(1, "hi", "alice", id="c1"), 0) == [entry]
    conversation.received(ready(1, recovered=True), 1)
    assert sent(conversation) == []


def test_a_repeat_is_answered_by_an_old_line_that_is_no_event() -> None:
    conversation = joined(line(9), head=9)
    taken(conversation)
    entry = conversation.say("hi", "c1", retry=True)
    assert conversation.received(line(3, "hi", "alice", id="c1"), 0) == [entry]
    assert taken(conversation) == []
    assert conversation.timeline.token == Token(9, h_of(9))


def test_a_line_that_is_not_the_next_answers_nothing_yet() -> None:
    conversation = joined(line(1), head=1)
    conversation.say("hi", "c1", retry=True)
    with pytest.raises(BadFrame):
        conversation.received(line(3, "hi", "alice", id="c1"), 0)
    assert "c1" in conversation.unsent


def test_a_refusal_of_nothing_that_waits_is_an_event() -> None:
    conversation = joined()
    taken(conversation)
    assert conversation.received(refusal("bad_frame"), 0) == []
    conversation.received(refusal("rate_limited", id="gone", retry_after_ms=9), 0)
    assert taken(conversation) == [
        Error("bad_frame", "No."),
        Error("rate_limited", "No.", "gone", 9),
    ]


def test_refused() -> None:
    conversation = joined()
    entry = conversation.say("hi", "c1", retry=True)
    assert conversation.received(refusal("id_conflict", id="c1"), 0) == [entry]
    assert isinstance(entry.answer, Refused)
    assert (entry.answer.code, entry.answer.text) == ("id_conflict", "No.")


def test_the_servers_limit_is_known_here() -> None:
    conversation = joined()
    with pytest.raises(Refused, match="21 characters, at most 20"):
        conversation.say("x" * 21, "c1", retry=True)
    assert len(conversation.unsent) == 0


def test_a_limit_that_shrank_while_away() -> None:
    conversation = joined()
    entry = conversation.say("x" * 15, "c1", retry=True)
    conversation.disconnected(Ended(), now=0)
    conversation.connected(now=1)
    assert conversation.received(ready(0, True, limits={"message_chars": 10}), 1) == [entry]
    assert isinstance(entry.answer, Refused)


def test_a_name_too_long() -> None:
    conversation = a_conversation()
    join(conversation, refusal("name_too_long"))
    with pytest.raises(Expelled) as caught:
        conversation.disconnected(Ended(1009, ""), now=0)
    assert (caught.value.code, caught.value.error, caught.value.text) == (
        1009,
        "name_too_long",
        "No.",
    )


def test_an_error_of_an_earlier_connection_explains_nothing() -> None:
    conversation = joined()
    conversation.received(refusal("empty_message"), 0)
    conversation.disconnected(Ended(), now=0)
    join(conversation)
    with pytest.raises(Expelled, match="1008: bye") as caught:
        conversation.disconnected(Ended(1008, "bye"), now=1)
    assert caught.value.error is None


def test_never_joined() -> None:
    with pytest.raises(Unreachable, match="refused"):
        a_conversation(join_within=0).disconnected(Ended(text="Connection refused"), now=0)


def test_attempts_that_fail_are_no_events() -> None:
    conversation = joined()
    taken(conversation)
    for now in range(5):
        conversation.disconnected(Ended(), now)
    assert taken(conversation) == [Disconnected(1006, "the connection was lost", 1.0)]


def test_typing_is_told_every_three_seconds() -> None:
    conversation = joined()
    told = []
    for now in range(7):
        conversation.type(now)
        told.append(sent(conversation, now))
    typing = [{"typing": True}]
    assert told == [typing, [], [], typing, [], [], typing]


def test_typing_while_away_is_forgotten() -> None:
    conversation = a_conversation()
    conversation.type(0)
    join(conversation, ready(0))
    assert sent(conversation) == []


def test_pings() -> None:
    conversation = joined(ping_interval=15, ping_timeout=10)
    assert conversation.wake_at == 15
    assert sent(conversation, now=15) == [{"ping": 1}]
    assert conversation.wake_at == 25
    assert conversation.is_dead(25)
    conversation.received('{"pong":1}', 24)
    assert not conversation.is_dead(25)


def test_a_join_that_takes_long_is_watched_too() -> None:
    conversation = a_conversation()
    join(conversation)
    assert sent(conversation, now=15) == [{"ping": 1}]


def test_a_full_feed_stops_the_reading_until_someone_waits_for_an_answer() -> None:
    conversation = joined(line(1), head=1, buffer=2)
    assert not conversation.may_read
    entry = conversation.say("hi", "c1", retry=True)
    assert conversation.may_read
    conversation.received(line(2), 0)
    assert conversation.received(line(3, "hi", "alice", id="c1"), 0) == [entry]
    assert not conversation.may_read
    assert not conversation.should_rejoin
    assert len(taken(conversation)) == 2
    assert conversation.should_rejoin
    assert conversation.disconnected(Ended(), now=0) == 0.0
    assert join(conversation)["since"] == {"seq": 1, "h": h_of(1)}
    conversation.received(line(2), 0)
    conversation.received(line(3, "hi", "alice", id="c1"), 0)
    conversation.received(ready(3, recovered=True), 0)
    assert taken(conversation)[:2] == [message(2), message(3, "hi", "alice", id="c1")]
    assert not conversation.should_rejoin


@pytest.mark.parametrize(
    "frame", ["", "[]", '{"seq":0,"h":"a","message":""}', '{"seq":1}', '{"seq":1,"h":"a"}']
)
def test_what_is_not_of_the_protocol(frame: str) -> None:
    with pytest.raises(BadFrame):
        joined().received(frame, 0)
