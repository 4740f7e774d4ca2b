"""The names that a server goes by (DNS rebinding), at each door and on both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from edgechat.net import request_head
from edgechat.net.hosts import Hosts
from edgechat.net.refused import BAD_HOST, OTHER_HOST, Refused
from edgechat.settings import Settings
from tests.serving.running import exchange, serving
from tests.serving.wire import SOON, dial, upgrade

OURS = [
    "127.0.0.1",
    "127.0.0.1:8080",
    "192.0.2.7:8080",
    "[::1]",
    "[::1]:8080",
    "localhost",
    "LOCALHOST:8080",
    "localhost.",
    "localhost.localdomain:1",
    "chat.localhost",
]
OTHERS = [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "evillocalhost",
    "127.0.0.1.evil.example",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "",
]
MALFORMED = [
    "localhost:port@evil.example",
    "localhost@evil.example",
    "evil@localhost",
    "evil.example:80@127.0.0.1",
    "evil.example#localhost",
    "localhost#evil",
    "localhost/evil",
    "localhost evil",
    "localhost:80:80",
    "localhost:x",
    "[::1",
    "[::1]x",
    "[evil.example]",
    "\xff",
]
NAMED: dict[str, Any] = {
    "public_hosts": ("Chat.example",),
    "allowed_origins": ("https://front.example:8443",),
}


def refusal(
    host: str | None, *, loopback: bool, target: str = "/", version: str = "1.1", **changes: Any
) -> object:
    """Why such a request is refused; None where it is not."""
    line = "" if host is None else f"Host: {host}\r\n"
    first = f"GET {target} HTTP/{version}"
    head = request_head.find(f"{first}\r\n{line}\r\n".encode("latin-1"), 900)
    assert head is not None
    try:
        Hosts(Settings(**changes)).check(head, loopback=loopback)
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("changes", [{}, NAMED])
@pytest.mark.parametrize("loopback", [True, False])
def test_addresses_and_localhost_are_ours(
    host: str, changes: dict[str, Any], loopback: bool
) -> None:
    assert refusal(host, loopback=loopback, **changes) is None


@pytest.mark.parametrize("host", OTHERS)
def test_no_other_name_is_ours_on_loopback(host: str) -> None:
    assert refusal(host, loopback=True) is OTHER_HOST
    assert refusal(host, loopback=True, **NAMED) is OTHER_HOST


@pytest.mark.parametrize("host", MALFORMED)
@pytest.mark.parametrize("loopback", [True, False])
def test_what_is_no_host_is_refused_everywhere(host: str, loopback: bool) -> None:
    """One program takes it for this name, and another one for that."""
    assert refusal(host, loopback=loopback) is BAD_HOST
    assert refusal(host, loopback=loopback, **NAMED) is BAD_HOST


def test_a_target_names_a_host_and_nobody() -> None:
    assert refusal("localhost", loopback=False, target="http://evil@localhost/") is BAD_HOST
    assert refusal("localhost", loopback=False, target="http://[::1]x/") is BAD_HOST


@pytest.mark.parametrize("host", OTHERS)
def test_elsewhere_any_name_is_ours_until_some_are_named(host: str) -> None:
    assert refusal(host, loopback=False) is None
    assert refusal(host, loopback=False, **NAMED) is OTHER_HOST


@pytest.mark.parametrize(
    "host", ["chat.example", "CHAT.example:443", "chat.example.", "front.example"]
)
@pytest.mark.parametrize("loopback", [True, False])
def test_names_that_were_given_are_ours(host: str, loopback: bool) -> None:
    assert refusal(host, loopback=loopback, **NAMED) is None


def test_an_absolute_target_has_to_be_ours_as_well() -> None:
    """It is what counts, and not the `Host`: RFC 9112, section 3.2.2."""
    assert refusal("localhost", loopback=True, target="http://evil.example/") is OTHER_HOST
    assert refusal("evil.example", loopback=True, target="http://localhost/") is OTHER_HOST
    assert refusal("localhost", loopback=True, target="http://[::1]:80/") is None


def test_no_host_and_two() -> None:
    assert refusal(None, loopback=True) is BAD_HOST
    assert refusal(None, loopback=True, version="1.0") is None  # no browser sends that
    assert refusal("localhost\r\nHost: localhost", loopback=False) is BAD_HOST


REQUESTS = [
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/room/lobby/history HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /api/room HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    upgrade("lobby"),
    upgrade("lobby", b"Origin: http://rebound.example"),
]


@pytest.mark.parametrize("request_", REQUESTS)
async def test_a_page_whose_name_is_pointed_here_gets_nowhere(
    tmp_path: Path, request_: bytes
) -> None:
    rebound = request_.replace(b"Host: localhost", b"Host: rebound.example")
    async with serving(tmp_path) as server:
        answer = await exchange(server.port, rebound)
        assert answer.status == 421
        assert b"--public-host NAME" in answer.body
    async with serving(tmp_path, public_hosts=("rebound.example",)) as server:
        assert await status(server.port, rebound) in (101, 200, 201)
    async with serving(tmp_path, trusted_proxies=("127.0.0.1",)) as server:
        assert await status(server.port, rebound) in (101, 200, 201)


async def status(port: int, request: bytes) -> int:
    wire = await dial(port)
    with trio.fail_after(SOON):
        await wire.send(request)
        head = await wire.head()
    wire.close()
    return int(head[9:12])
