"""Following a room by HTTP (`docs/protocol.md`, Following)."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from email.utils import formatdate
from functools import partial
from typing import NoReturn

import trio
from quart import Response, request
from quart_trio import QuartTrio

from edgechat import system
from edgechat.chat.allowance import Spendable
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.names import PrivateIds
from edgechat.http import answers, query
from edgechat.http.answers import NDJSON, PRIVATE
from edgechat.http.api import Rooms, check_may_talk, find_key, visit
from edgechat.http.asked import asked_of_quart
from edgechat.http.callers import Callers
from edgechat.http.cors import allow_origin
from edgechat.http.feed import AS_EVENTS, AS_NDJSON, EVENTS, FollowerFeed, token_text
from edgechat.http.prefixed_stream import CONNECTION, PrefixedStream
from edgechat.http.since import read_since
from edgechat.rooms.follow import Extreme, Since, Start, find_start, follow, read_all
from edgechat.rooms.looking import paced
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Disconnected, Stream
from edgechat.settings import Settings

log = logging.getLogger(__name__)

OpenStream = Callable[[socket.socket, Settings], AbstractAsyncContextManager[Stream]]


def add_events(
    app: QuartTrio,
    settings: Settings,
    rooms: Rooms,
    ids: PrivateIds,
    ready: Callable[[], bool],
    callers: Callers,
    open_stream: OpenStream,
) -> None:
    """Add the route of followers."""

    @app.get("/api/room/<text>/events")
    async def events(text: str) -> Response:
        key = find_key(text, ids)
        asked = asked_of_quart()
        check_may_talk(asked, settings, ready)
        polls = query.text("poll") in ("1", "true")
        since = read_since(Extreme.START if polls else Extreme.HEAD)
        feed = _feed()
        if request.method == "HEAD":
            return answers.head(feed.mimetype)
        serve = _poll if polls else partial(_follow, open_stream)
        return await visit(
            rooms, key, partial(serve, settings, since, feed, callers.allowance(asked))
        )


def _feed() -> FollowerFeed:
    best = request.accept_mimetypes.best_match([EVENTS, NDJSON])
    return AS_NDJSON if best == NDJSON else AS_EVENTS


async def _poll(
    settings: Settings, since: Since, feed: FollowerFeed, allowance: Spendable, room: Room
) -> Response:
    """What there is, and then the end."""
    await room.wait_opened()
    look = paced(room.history, allowance)
    start = await find_start(room, look, since, settings.backlog)

    async def body() -> AsyncIterator[bytes]:
        yield feed.begin(start)
        with room.visit():
            async for lines in read_all(room, look, start.after):
                yield feed.encode(lines)

    return _answer(feed, start, body())


async def _follow(
    open_stream: OpenStream,
    settings: Settings,
    since: Since,
    feed: FollowerFeed,
    allowance: Spendable,
    room: Room,
) -> Response:
    """What there is, and what comes. The fan-out writes to the connection, past Hypercorn."""
    await room.wait_opened()
    look = paced(room.history, allowance)
    start = await find_start(room, look, since, settings.backlog)
    answer = _answer(feed, start, b"")
    if settings.allowed_origins:
        allow_origin(answer, settings.allowed_origins)
    connection: PrefixedStream = request.scope["state"][CONNECTION]
    async with open_stream(connection.take(), settings) as stream:
        with room.visit(stream):
            try:
                stream.write(_head(answer) + feed.begin(start))
                await follow(room, look, start.after, stream, feed.encode)
                await _beat(stream, feed.beat, settings.heartbeat)
            except Disconnected:
                pass
            except StorageUnavailable as failure:
                log.error("The history of %s can't be read: %s", room.key, failure)
            finally:
                room.fanout.unfollow(stream, feed.encode)
    await connection.end()


async def _beat(stream: Stream, beat: bytes, interval: float) -> NoReturn:
    """Middlemen cut what is silent, and a dead peer is found only by writing to it."""
    while True:
        await trio.sleep(interval)
        stream.write(beat)


def _answer(feed: FollowerFeed, start: Start, body: bytes | AsyncIterator[bytes]) -> Response:
    headers = {**PRIVATE, "X-Accel-Buffering": "no"}  # nginx would hold it back
    if start.token is not None:
        headers["EdgeChat-Since"] = token_text(start.token)
    return Response(body, mimetype=feed.mimetype, headers=headers)


def _head(answer: Response) -> bytes:
    """Its status line and headers. Its body ends with the connection (RFC 9112, section 6.3)."""
    answer.headers.remove("Content-Length")
    answer.headers["Date"] = formatdate(system.now_ms() / 1_000, usegmt=True)
    answer.headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode("latin-1")
