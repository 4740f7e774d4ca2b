from __future__ import annotations

import pytest

from edgechat.client.address import parse_room, room_url


@pytest.mark.parametrize(
    ("url", "host", "port", "secure", "target"),
    [
        ("http://h:8080/room/lobby", "h", 8080, False, "/api/room/lobby/websocket"),
        ("https://h/room/lobby", "h", 443, True, "/api/room/lobby/websocket"),
        ("ws://h/api/room/lobby/websocket", "h", 80, False, "/api/room/lobby/websocket"),
        ("wss://h/chat/room/a%20b/?x=1#42", "h", 443, True, "/chat/api/room/a%20b/websocket"),
        ("http://[::1]:8/room/café", "::1", 8, False, "/api/room/caf%C3%A9/websocket"),
    ],
)
def test_addresses(url: str, host: str, port: int, secure: bool, target: str) -> None:
    address = parse_room(url)
    server = address.server
    assert (server.host, server.port, server.is_secure) == (host, port, secure)
    assert address.target == target


@pytest.mark.parametrize(
    "url", ["", "lobby", "http://h", "http://h/lobby", "ftp://h/room/x", "http:///room/x"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|room"):
        parse_room(url)


def test_the_host_header_has_no_password() -> None:
    assert parse_room("http://me:secret@h:8/room/x").server.authority == "h:8"


@pytest.mark.parametrize("room", ["lobby", "a b", "日本", "a/b", "100%"])
def test_any_name_survives(room: str) -> None:
    assert parse_room(room_url("http://h:8080/", room)).room == room
