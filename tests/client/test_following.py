"""Following by events, as rules: what comes of events, byte by byte and in whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgechat.chat.line import Token
from edgechat.client.following import FAR, Following
from edgechat.client.room_requests import RoomHead
from edgechat.client.server_sent import EventParser, ServerSent

HEAD = RoomHead(room="lobby", seq=3, h="cc", members=2)


def line(seq: int) -> bytes:
    return b'{"seq":%d,"h":"aa"}' % seq


def event(seq: int) -> bytes:
    return b"id: %d:aa\ndata: %b\n\n" % (seq, line(seq))


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"id: 1:aa\ndata: x\n\n", [ServerSent("message", "1:aa", b"x")]),
        (b"id: 1:aa\nretry: 2000\n\n", [ServerSent("message", "1:aa", b"")]),
        (b":\n\ndata: x\n\n", [ServerSent("message", "", b"x")]),
        (b"data: x\r\ndata: y\r\n\r\n", [ServerSent("message", "", b"x\ny")]),
        (b"event: reset\ndata: {}\n\n", [ServerSent("reset", "", b"{}")]),
        (
            b"id: 1\ndata: x\n\ndata: y\n\n",
            [ServerSent("message", "1", b"x"), ServerSent("message", "1", b"y")],
        ),
        (b"data: x\n", []),
    ],
)
def test_server_sent_events(text: bytes, events: list[ServerSent]) -> None:
    assert list(EventParser().feed(text)) == events
    stream = EventParser()
    assert [each for byte in text for each in stream.feed(bytes([byte]))] == events


def frames(following: Following, text: bytes) -> list[dict[str, Any]]:
    """All that a client hears of this; lines by their `seq` alone."""
    heard = list(following.begin())
    for each in EventParser().feed(text):
        heard += following.take(each)
    found = [json.loads(frame) for frame in heard]
    return [
        {"seq": each["seq"]} if "ready" not in each and "seq" in each else each for each in found
    ]


BEGIN = [{"joined": "alice"}, {"members": 3}]
READY = {"ready": True, "room": "lobby", "seq": 3, "h": "cc", "members": 3}


@pytest.mark.parametrize(
    ("since", "place", "text", "heard"),
    [
        (None, "1", event(2) + event(3), [{"seq": 2}, {"seq": 3}, READY]),
        (None, "1", event(2), [{"seq": 2}]),
        (
            Token(2, "bb"),
            "2:bb",
            b"id: 2:bb\nretry: 1\n\n" + event(3) + event(4),
            [{"seq": 3}, READY | {"recovered": True}, {"seq": 4}],
        ),
        (Token(3, "cc"), "3:cc", b"id: 3:cc\nretry: 1\n\n", [READY | {"recovered": True}]),
        (
            Token(9, "bb"),
            "9:bb",
            b'event: reset\ndata: {"reason":"forked","seq":1,"h":"dd"}\n\n' + event(1),
            [
                {"seq": 1},
                READY | {"seq": 1, "h": "dd", "recovered": False, "reason": "forked"},
            ],
        ),
        (
            Token(9, "bb"),
            "9:bb",
            b'event: reset\nid: 0:00\ndata: {"reason":"forked","seq":0,"h":"00"}\n\n',
            [READY | {"seq": 0, "h": "00", "recovered": False, "reason": "forked"}],
        ),
        (
            None,
            "1",
            b'data: {"seq":2,"kind":"lost"}\n\n' + event(3),
            [{"seq": 2}, {"seq": 3}, READY],
        ),
    ],
    ids=["backlog", "not yet", "resumed", "at the head", "forked", "forked, empty", "lost"],
)
def test_a_join(since: Token | None, place: str, text: bytes, heard: list[dict[str, Any]]) -> None:
    following = Following("alice", HEAD, 2, since)
    assert following.place == place
    assert frames(following, text) == BEGIN + heard


@pytest.mark.parametrize(("behind", "place"), [(FAR, "1:bb"), (FAR + 1, f"{FAR + 1}")])
def test_a_token_that_is_far_behind(behind: int, place: str) -> None:
    head = RoomHead(room="lobby", seq=1 + behind, h="cc", members=0)
    following = Following("alice", head, 1, Token(1, "bb"))
    assert following.place == place
    last = frames(following, event(head.seq))[-1]
    assert (last["recovered"], last.get("reason")) == (
        behind == FAR,
        None if behind == FAR else "far",
    )


def test_a_ping_is_answered_when_the_newest_line_has_come() -> None:
    following = Following("alice", HEAD, 0, None)
    assert [json.loads(frame) for frame in following.check(1, HEAD)] == [{"pong": 1}]
    newer = RoomHead(room="lobby", seq=4, h="dd", members=5)
    assert [json.loads(frame) for frame in following.check(2, newer)] == [{"members": 6}]
    [sent] = EventParser().feed(event(4))
    assert json.loads(list(following.take(sent))[-1]) == {"pong": 2}


def test_a_stored_line_that_comes_by_the_events_is_not_told_twice() -> None:
    following = Following("alice", HEAD, 0, None)
    assert [following.repeats(line(seq)) for seq in (2, 3, 4)] == [True, True, False]
