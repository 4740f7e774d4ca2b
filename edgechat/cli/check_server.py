"""A server, asked from outside: through whatever stands before it, as a browser comes."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING

from edgechat.cli.finding import Finding, error, ok, warning

if TYPE_CHECKING:
    from edgechat.client.address import Server
    from edgechat.client.http_request import HttpAnswer
    from edgechat.client.streams import OpenStream

_WAIT = 10.0  # seconds
_CLOCK = 5.0  # seconds by which a clock may be off
_ROOM = "doctor"  # nobody enters it, so that it leaves no file
_MAX_HEAD = 65_536
_LOCAL = ("127.0.0.1", "::1", "localhost")


async def check_server(url: str) -> list[Finding]:
    """All that can be seen from here."""
    from edgechat.client import Options
    from edgechat.client.address import parse_server
    from edgechat.client.connection import NETWORK_ERRORS, ended_by
    from edgechat.client.http_request import request
    from edgechat.client.streams import open_stream

    server, options = parse_server(url), Options(connect_timeout=_WAIT, ping_timeout=_WAIT)
    dial = partial(open_stream, server, options)
    found: list[Finding] = []
    try:
        answer = await request("GET", server, f"{server.prefix}/livez", dial, options)
        found += _alive(url, answer)
        if answer.status != 200:
            return found
        ready = await request("GET", server, f"{server.prefix}/readyz", dial, options)
        found += [_ready(ready), *_clock(answer), _secure(server)]
        found.append(await _websocket(server, dial))
    except NETWORK_ERRORS as problem:
        words = "Is it running? Is the address right, with its port and path?"
        found.append(error(f"No answer from {url}: {ended_by(problem).words}.", words))
    return found


def _alive(url: str, answer: HttpAnswer) -> list[Finding]:
    if answer.status == 200:
        return [ok(f"{url} answers.")]
    words = "Is it EdgeChat that answers? With --public-host, use that name; behind a proxy, it "
    return [error(f"{url} answers {answer.status}.", f"{words}must pass on Host with its port.")]


def _ready(answer: HttpAnswer) -> Finding:
    if answer.status == 200:
        return ok("It takes messages.")
    words = "It is being stopped, or can't write: its log says which."
    return error(f"It takes no messages (/readyz answers {answer.status}).", words)


def _clock(answer: HttpAnswer) -> list[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.headers[b"date"].decode()).timestamp()
    except (KeyError, ValueError):
        return []
    ahead = theirs - time.time()
    if abs(ahead) > _CLOCK:
        way = "ahead of" if ahead > 0 else "behind"
        words = "Set the one that is wrong by NTP: messages bear the server's time."
        return [warning(f"Its clock is {abs(ahead):.0f} s {way} this one.", words)]
    return [ok("Its clock agrees with this one.")]


def _secure(server: Server) -> Finding:
    if server.is_secure or server.host in _LOCAL or server.host.startswith("127."):
        return ok("The way to it is private.")
    words = "Put a proxy that speaks TLS before it: docs/operations.md has three lines for Caddy."
    return warning("The way to it is not encrypted.", words)


async def _websocket(server: Server, dial: OpenStream) -> Finding:
    """Open a WebSocket as a page of this server does, and say nothing."""
    scheme = "https" if server.is_secure else "http"
    lines = (
        f"GET {server.prefix}/api/room/{_ROOM}/websocket HTTP/1.1",
        f"Host: {server.authority}",
        f"Origin: {scheme}://{server.authority}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    status = await _status(dial, "\r\n".join((*lines, "", "")).encode())
    if status == 101:
        return ok("It opens WebSockets for its own page.")
    if status == 403:
        words = "The proxy must pass on Host with its port (nginx: $http_host, not $host)."
        return error("It takes its own page for another site's (403).", words)
    words = "The proxy must pass on Upgrade and Connection, by HTTP/1.1: docs/operations.md."
    return error(f"No WebSocket comes through: the answer is {status or 'not HTTP'}.", words)


async def _status(dial: OpenStream, asked: bytes) -> int:
    """The status of the answer, 0 if it is not HTTP."""
    import trio

    head = b""
    with trio.fail_after(_WAIT):
        stream = await dial()
        try:
            await stream.send_all(asked)
            while b"\r\n" not in head and len(head) < _MAX_HEAD:
                if not (part := await stream.receive_some()):
                    break
                head += part
        finally:
            await trio.aclose_forcefully(stream)
    words = head.split(b" ", 2)
    is_http = head.startswith(b"HTTP/1.") and len(words) > 1 and words[1].isdigit()
    return int(words[1]) if is_http else 0
