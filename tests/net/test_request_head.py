from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgechat.net import request_head
from edgechat.net.refused import AMBIGUOUS, NOT_HTTP, TOO_LARGE, Refused
from edgechat.net.request_head import Head

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_whole_head_and_what_came_behind_it(end: bytes) -> None:
    found = request_head.find(REQUEST + end + b"\x81\x80\r\n\r\n", 100)
    assert found == Head(REQUEST + end, b"\x81\x80\r\n\r\n")


@given(st.integers(0, len(REQUEST)))
def test_part_of_one_is_waited_for(size: int) -> None:
    assert size == 0 or request_head.find(REQUEST[:size], 100) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"A" * 21,
        b"G\0T / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_by_its_first_bytes(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        request_head.find(data, 100)
    assert refused.value.reason is NOT_HTTP


def test_the_most_bytes_count_the_empty_line() -> None:
    whole = REQUEST + b"\r\n"
    assert request_head.find(whole, len(whole)) is not None
    with pytest.raises(Refused) as refused:
        request_head.find(whole, len(whole) - 1)
    assert refused.value.reason is TOO_LARGE
    with pytest.raises(Refused):
        request_head.find(REQUEST, len(REQUEST))


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"transfer-ENCODING : chunked\r\nX: y\r\ncontent-length:5\r\n",
    ],
)
def test_two_lengths_of_one_body(lengths: bytes) -> None:
    with pytest.raises(Refused) as refused:
        request_head.find(REQUEST + lengths + b"\r\n", 200)
    assert refused.value.reason is AMBIGUOUS


@pytest.mark.parametrize(
    "header", [b"Upgrade: websocket", b"UPGRADE:h2c", b"upgrade : x", b"X: y\r\n upgrade: x"]
)
def test_an_upgrade_however_it_is_written(header: bytes) -> None:
    found = request_head.find(REQUEST + header + b"\r\n\r\n", 200)
    assert found is not None
    assert found.wants_upgrade


@pytest.mark.parametrize("header", [b"X: upgrade: x", b"Upgrade-Insecure-Requests: 1"])
def test_no_upgrade(header: bytes) -> None:
    found = request_head.find(REQUEST + header + b"\r\n\r\nUpgrade: x", 200)
    assert found is not None
    assert not found.wants_upgrade


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("/api/room/lobby/websocket", "lobby"),
        ("/api/room/lobby/websocket?x=/y", "lobby"),
        ("/api/room/%E4%B8%96/websocket", "世"),
        ("/api/room/a%2f..%2fb/websocket", "a/../b"),
        ("/api/room/%00/websocket", "\0"),
        ("/api/room/%ff/websocket", "\ufffd"),
        ("/api/room/%zz/websocket", "%zz"),
        ("/api/room//websocket", ""),
        ("/api/room/a/b/websocket", None),
        ("/api/room/../websocket/x", None),
        ("/api/room/lobby/websocket/", None),
        ("/api/room/lobby/websocket\n", None),
        ("http://here/api/room/lobby/websocket", None),
        ("*", None),
    ],
)
def test_the_room_in_a_target(target: str, text: str | None) -> None:
    assert request_head.room_text(target) == text
