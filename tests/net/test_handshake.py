from __future__ import annotations

import json

import pytest

from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.chat.origin import parse_origin
from edgechat.net import request_head
from edgechat.net.handshake import Handshake, shake_hands
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head
from tests.serving.wire import upgrade

IDS = PrivateIds(bytes(32))
RANDOM = bytes(range(16))


def shake(*headers: bytes, room: str = "lobby", origins: tuple[str, ...] = ()) -> Handshake:
    return shake_hands(head(upgrade(room, *headers)), IDS, {parse_origin(text) for text in origins})


def head(request: bytes) -> Head:
    found = request_head.find(request, 16_384)
    assert found is not None
    return found


def refusal(request: bytes, origins: tuple[str, ...] = ()) -> int:
    """The status of the answer."""
    with pytest.raises(Refused) as refused:
        shake_hands(head(request), IDS, {parse_origin(text) for text in origins})
    assert refused.value.reason.answer.startswith(b"HTTP/1.1 ")
    body = json.loads(refused.value.reason.answer.partition(b"\r\n\r\n")[2])
    assert set(body) == {"error", "code"}
    return int(refused.value.reason.answer[9:12])


def test_it_answers_as_rfc_6455_says() -> None:
    answer = shake().answer
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "offer", [b"h2c, websocket", b"WebSocket , h2c", b"h2c\r\nUpgrade: websocket"]
)
def test_of_several_offers_it_takes_the_one(offer: bytes) -> None:
    """RFC 9110, section 7.8: the client lists what it would go on with."""
    request = upgrade("lobby").replace(b"Upgrade: websocket", b"Upgrade: " + offer)
    answer = shake_hands(head(request), IDS, set()).answer
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nUpgrade: websocket\r\n" in answer


def test_no_extension_and_no_subprotocol_is_agreed_on() -> None:
    deflate = b"Sec-WebSocket-Extensions: permessage-deflate"
    answer = shake(deflate, b"Sec-WebSocket-Protocol: chat").answer
    assert b"Extensions" not in answer
    assert b"Protocol:" not in answer


@pytest.mark.parametrize(
    ("room", "key"),
    [
        ("lobby", RoomKey("lobby", private=False)),
        ("Lobby", RoomKey("lobby", private=False)),
        ("my_room%20x", RoomKey("my-room-x", private=False)),
        ("%E4%B8%96", RoomKey("世", private=False)),
    ],
)
def test_rooms(room: str, key: RoomKey) -> None:
    assert shake(room=room).key == key


def test_a_private_room_only_by_an_id_of_ours() -> None:
    id = IDS.make(RANDOM)
    assert shake(room=id).key == RoomKey(id, private=True)
    other = ("0" if id[-1] != "0" else "1").join((id[:-1], ""))
    assert refusal(upgrade(other)) == refusal(upgrade("x" * 33)) == 404


@pytest.mark.parametrize(
    "room", ["", "a%2f..%2fb", "..", "%00", "x" * 33, "ab" * 32, "%ff", "a.b", "a%0ab", "con:"]
)
def test_names_of_no_room(room: str) -> None:
    assert refusal(upgrade(room)) == 404


def test_every_byte_in_the_target_is_answered() -> None:
    for byte in range(256):
        request = upgrade("lobby").replace(b"lobby", b"a.%c" % byte, 1)
        assert refusal(request) in (400, 404)


def test_an_upgrade_to_somewhere_else() -> None:
    assert refusal(upgrade("", path="/chat")) == 404
    assert refusal(upgrade("", path="/api/room/a/history")) == 404


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8", 400),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 400),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"\xff\xfe", 400),
        (b"Upgrade: websocket", b"Upgrade: h2c", 426),
        (b"Connection: Upgrade", b"Connection: keep-alive", 426),
        (b"GET ", b"POST ", 405),
        (b"HTTP/1.1", b"HTTP/1.0", 505),
        (b"HTTP/1.1", b"HTTP/9", 400),
        (b"\r\n", b"\n", 400),
        (b"Host: localhost", b"Content-Length: 5", 400),
        (b"Host: localhost", b"Transfer-Encoding: chunked", 400),
        (b"Host: localhost", b"Host : localhost", 400),
        (b"Host: localhost", b"Host: localhost\r\n folded", 400),
        (b"Host: localhost", b"\r\n".join([b"X: y"] * 200), 431),
        (b"Host: localhost", b"X: \x00", 400),
        (b"Host: localhost", b"no colon", 400),
    ],
)
def test_requests_that_are_no_handshake(old: bytes, new: bytes, status: int) -> None:
    request = upgrade("lobby")
    assert old in request
    assert refusal(request.replace(old, new)) == status


@pytest.mark.parametrize(
    "origin",
    [b"http://localhost", b"http://LOCALHOST", b"http://localhost:80", b"https://chat.example"],
)
def test_pages_that_may_open_a_chat(origin: bytes) -> None:
    assert shake(b"Origin: " + origin, origins=("https://chat.example",))


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"",
        b"http://evil.example",
        b"http://localhost.evil.example",
        b"http://localhost:81",
        b"https://localhost:80",
        b"file://localhost",
        b"localhost",
        b"http://chat.example",
        b"https://chat.example.evil",
        b"http://[",
        b"http://localhost:port",
        b"http://\xe2\x84\x80",
        b"http://localhost\r\nOrigin: http://localhost",
    ],
)
def test_pages_of_other_sites(origin: bytes) -> None:
    request = upgrade("lobby", b"Origin: " + origin)
    assert refusal(request, origins=("https://chat.example",)) == 403


def test_two_hosts_are_not_ours() -> None:
    request = upgrade("lobby", b"Host: evil.example", b"Origin: http://evil.example")
    assert refusal(request) in (400, 403)
