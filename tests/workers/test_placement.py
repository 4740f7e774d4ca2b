"""Which worker a request is for."""

from __future__ import annotations

from collections import Counter

import pytest

from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.net.request_head import Head, find
from edgechat.workers.placement import place_of, room_in

IDS = PrivateIds(bytes(32))
PRIVATE = IDS.make(bytes(16))


def head(target: str, *headers: str) -> Head:
    text = "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *headers, "", ""])
    found = find(text.encode(), 16_384)
    assert found is not None
    return found


def public(name: str) -> RoomKey:
    return RoomKey(name, private=False)


def test_a_place_is_the_same_for_ever() -> None:
    """Other places would be harmless between two starts, and forbidden while one lasts."""
    places = [place_of(public(name), 8) for name in ("lobby", "ops", "tea", "münchen")]
    assert places == [place_of(public(name), 8) for name in ("lobby", "ops", "tea", "münchen")]
    assert places == [6, 2, 0, 0]
    assert place_of(RoomKey(PRIVATE, private=True), 8) == 2
    assert {place_of(public(f"room{n}"), 1) for n in range(100)} == {0}


def test_rooms_are_spread_evenly() -> None:
    found = Counter(place_of(public(f"room{n}"), 7) for n in range(7_000))
    assert set(found) == set(range(7))
    assert max(found.values()) < 1.15 * 1_000


@pytest.mark.parametrize(
    ("target", "room"),
    [
        ("/api/room/lobby", "lobby"),
        ("/api/room/lobby/", "lobby"),
        ("/api/room/lobby?x=/api/room/other", "lobby"),
        ("/api/room/lobby/messages", "lobby"),
        ("/api/room/LOBBY/events?since=all", "lobby"),
        ("/api/room/a_b/history", "a-b"),
        ("/api/room/%6Cobby/slack", "lobby"),
        ("/api/room/lobby%2Fevents", "lobby"),  # as the app sees it, which decodes first
        ("//api/room/lobby", "lobby"),
        ("http://localhost/api/room/lobby", "lobby"),
        ("/api/room/m%C3%BCnchen", "münchen"),
        ("/api/room/mu%CC%88nchen", "münchen"),
        (f"/api/room/{PRIVATE}/events", PRIVATE),
        (f"/api/room/{PRIVATE.upper()}", PRIVATE),
        ("/api/room", None),
        ("/api/room/", None),
        ("/room/lobby", None),
        ("/", None),
        ("/api/rooms/lobby", None),
        ("/x/api/room/lobby", None),
        (f"/api/room/{'ab' * 32}", None),  # an id of another server's
        ("/api/room/a.b", None),
        ("*", None),
    ],
)
def test_the_room_of_a_request(target: str, room: str | None) -> None:
    found = room_in(head(target), IDS)
    assert (found and found.name) == room
    assert found is None or found.private is (room == PRIVATE)


@pytest.mark.parametrize(
    ("target", "room"),
    [
        ("/api/room/LOBBY/websocket", "lobby"),
        ("http://localhost/api/room/lobby/websocket?x", "lobby"),
        ("/api/room/lobby%2Fwebsocket", None),
        ("/api/room/lobby", None),
        (f"/api/room/{PRIVATE}/websocket", PRIVATE),
    ],
)
def test_the_room_of_a_websocket(target: str, room: str | None) -> None:
    found = room_in(head(target, "Upgrade: websocket"), IDS)
    assert (found and found.name) == room
