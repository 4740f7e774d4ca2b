from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgechat.net import request_head
from edgechat.net.refused import AMBIGUOUS, NOT_HTTP, TOO_LARGE, Refused
from edgechat.net.request_head import Head

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_whole_head_and_what_came_behind_it(end: bytes) -> None:
    found = request_head.find(REQUEST + end + b"\x81\x80\r\n\r\n", 100)
    assert found is not None
    assert (found.text, found.rest) == (REQUEST + end, b"\x81\x80\r\n\r\n")
    assert (found.target, found.values("host")) == ("/", ["localhost"])


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
    ("line", "is_for_page"),
    [
        ("GET / HTTP/1.1", True),
        ("GET /?lang=ar HTTP/1.1", True),
        ("GET /room/lobby HTTP/1.1", True),
        ("HEAD /assets/0123/main.js HTTP/1.1", True),
        ("GET /sw.js HTTP/1.1", True),
        ("GET /manifest.webmanifest HTTP/1.1", True),
        ("GET /client.js HTTP/1.1", True),
        ("GET /embed.js HTTP/1.1", True),
        ("POST / HTTP/1.1", False),
        ("GET /readyz HTTP/1.1", False),
        ("GET /api/room/lobby/websocket HTTP/1.1", False),
        ("GET /api/room/room HTTP/1.1", False),
        ("GET /sw.js/x HTTP/1.1", False),
    ],
)
def test_what_asks_for_the_page(line: str, is_for_page: bool) -> None:
    found = request_head.find(f"{line}\r\nHost: localhost\r\n\r\n".encode(), 200)
    assert found is not None
    assert found.is_for_page is is_for_page


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"transfer-ENCODING: chunked\r\nX: y\r\ncontent-length:5\r\n",
    ],
)
def test_two_lengths_of_one_body(lengths: bytes) -> None:
    with pytest.raises(Refused) as refused:
        request_head.find(REQUEST + lengths + b"\r\n", 200)
    assert refused.value.reason is AMBIGUOUS


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        (b"GET /", True),
        (b"GET /a?b", True),
        (b"GET http://localhost", True),
        (b"GET WSS://localhost/a", True),
        (b"OPTIONS *", True),
        (b"CONNECT localhost:80", True),
        (b"GET ?a", False),
        (b"GET a", False),
        (b"GET #a", False),
        (b"GET *a", False),
        (b"GET localhost:80", False),
        (b"GET ftp://localhost/", False),
        (b"GET http:/a", False),
    ],
)
def test_what_is_asked_for_has_one_of_the_forms(line: bytes, is_one: bool) -> None:
    request = line + b" HTTP/1.1\r\nHost: localhost"
    if is_one:
        assert request_head.find(request + b"\r\n\r\n", 900) is not None
    else:
        assert status(request) == 400


def test_http_1_0_knows_no_chunks() -> None:
    """A proxy of that time passes the header on, and takes the body to end with the connection."""
    request = REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Transfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(Refused) as refused:
        request_head.find(request, 200)
    assert refused.value.reason is AMBIGUOUS


def parsed(*lines: bytes, request: bytes = REQUEST) -> Head:
    found = request_head.find(request + b"".join(line + b"\r\n" for line in lines) + b"\r\n", 900)
    assert found is not None
    return found


def status(request: bytes) -> int:
    """Of the answer to a request that is refused."""
    with pytest.raises(Refused) as refused:
        request_head.find(request + b"\r\n\r\n", 900)
    return int(refused.value.reason.answer[9:12])


@pytest.mark.parametrize(
    "lines",
    [
        [b"Upgrade: websocket"],
        [b"UPGRADE:WebSocket"],
        [b"upgrade: h2c, websocket"],
        [b"upgrade: websocket/13 ,h2c"],
        [b"Upgrade: h2c", b"Upgrade: websocket"],
    ],
)
def test_a_websocket_is_wanted(lines: list[bytes]) -> None:
    assert parsed(*lines).wants_websocket


@pytest.mark.parametrize(
    "lines",
    [
        [b"X: upgrade: websocket"],
        [b"Upgrade-Insecure-Requests: 1"],
        [b"Upgrade: h2c"],
        [b"Upgrade: TLS/1.2, my-websocket"],
        [b"Connection: websocket"],
    ],
)
def test_no_websocket_is_wanted(lines: list[bytes]) -> None:
    assert not parsed(*lines).wants_websocket


OFFER = [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (OFFER, b""),
        ([b"A: 1", *OFFER, b"B: \xff 2"], b"A: 1\r\nB: \xff 2\r\n"),
        (
            [b"Connection: keep-alive, UPGRADE, x", b"Upgrade: TLS/1.2"],
            b"Connection: keep-alive, x\r\n",
        ),
        ([b"Connection: close"], b"Connection: close\r\n"),
    ],
)
def test_an_offer_is_taken_off_the_head(lines: list[bytes], left: bytes) -> None:
    assert parsed(*lines).without_offer() == REQUEST + left + b"\r\n"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET / HTTP/2.0", 505),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/x.1", 400),
        (b"GET /", 400),
        (b"GET /  HTTP/1.1", 400),
        (b"GET / HTTP/1.1 x", 400),
        (b"GET / HTTP/1.1\r\n Host: x", 400),
        (b"GET / HTTP/1.1\r\nX: y\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nHost : x", 400),
        (b"GET / HTTP/1.1\r\n: x", 400),
        (b"GET / HTTP/1.1\r\nno colon", 400),
    ],
)
def test_heads_that_could_be_understood_differently(request_: bytes, code: int) -> None:
    assert status(request_) == code


def test_so_many_headers_and_no_more() -> None:
    """Each of thousands would take 20 µs, here and in the HTTP server."""
    lines = b"X: y\r\n" * 40
    found = request_head.find(REQUEST + lines + b"\r\n", 16_384, 0, 41)
    assert found is not None
    with pytest.raises(Refused) as refused:
        request_head.find(REQUEST + lines + b"Y: z\r\n\r\n", 16_384, 0, 41)
    assert b" 431 " in refused.value.reason.answer


def test_a_value_of_blanks_is_looked_at_once() -> None:
    value = b"x" + b" " * 15_000 + b"y"
    head = request_head.find(REQUEST + b"X: " + value + b" \t\r\n\r\n", 16_384)
    assert head is not None
    assert head.values("x") == [value.decode()]


def test_an_old_version_and_a_new_one_of_http_1_pass() -> None:
    for version in (b"1.0", b"1.1", b"1.9"):
        assert parsed(request=b"GET / HTTP/%s\r\n" % version).target == "/"


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        (b"/", None),
        (b"*", None),
        (b"http://a.example:80/x", "a.example:80"),
        (b"WSS://a.example?x", "a.example"),
        (b"/http://a.example/", None),
    ],
)
def test_the_host_in_a_target(target: bytes, authority: str | None) -> None:
    assert parsed(request=b"GET %s HTTP/1.1\r\n" % target).authority == authority


def test_a_head_that_comes_byte_by_byte_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was searched from its start for each byte: 140 µs for one."""
    searched = 0

    class Counting(bytearray):
        def find(self, sub: Any, start: Any = 0, end: Any = 0, /) -> int:
            nonlocal searched
            searched += min(len(self), end) - start
            return super().find(sub, start, end)

    whole = REQUEST + b"X: " + b"x" * 15_000 + b"\r\n\r\n"
    data = Counting()
    for at in range(len(whole)):
        data += whole[at : at + 1]
        found = request_head.find(data, 16_384, at)
        assert (found is not None) == (at == len(whole) - 1)
    assert searched <= 6 * len(whole)


@given(st.lists(st.integers(1, 40)), st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n"]))
def test_the_end_is_found_wherever_it_is_cut(sizes: list[int], end: bytes) -> None:
    whole = REQUEST.removesuffix(b"\r\n") + end
    data = bytearray()
    found = None
    for size in [*sizes, len(whole)]:
        assert found is None
        known = len(data)
        data += whole[known : known + size]
        found = request_head.find(data, 900, known)
        if len(data) == len(whole):
            break
    assert found is not None
    assert found.text == whole


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
        ("http://localhost/api/room/lobby/websocket", "lobby"),
        ("wss://localhost:8080/api/room/lobby/websocket?x", "lobby"),
        ("http://localhost", None),
        ("ftp://localhost/api/room/lobby/websocket", None),
        ("*", None),
    ],
)
def test_the_room_in_a_target(target: str, text: str | None) -> None:
    assert request_head.room_text(target) == text
