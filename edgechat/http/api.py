"""The API of rooms (`docs/protocol.md`, HTTP)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from quart import Response, request
from quart_trio import QuartTrio

from edgechat import system
from edgechat.chat.line import Entry
from edgechat.chat.names import RANDOM_BYTES, BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.http import answers
from edgechat.http.answers import ANY_ORIGIN, JSON, NDJSON, PRIVATE
from edgechat.http.errors import NotFound, Wrong
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_MAX_DIGITS = 15  # of a number in an address: all of them are exact in a browser
_NUMBERS = ("before", "after", "around", "limit")

Rooms = Registry[RoomKey, Room]
Answer = TypeVar("Answer")


def add_api(app: QuartTrio, settings: Settings, rooms: Rooms, ids: PrivateIds) -> None:
    """Add the routes under `/api/`."""

    @app.post("/api/room")
    async def new_room() -> Response:
        return answers.text(ids.make(system.token_bytes(RANDOM_BYTES)), ANY_ORIGIN)

    @app.route("/api/room", methods=["OPTIONS"])
    async def new_room_options() -> Response:
        """What a browser asks before another site's page may POST (the preflight of CORS)."""
        allow = {"Allow": "OPTIONS, POST", "Access-Control-Allow-Methods": "POST"}
        return answers.nothing({**ANY_ORIGIN, **allow})

    @app.get("/api/room/<text>/websocket")
    async def websocket(text: str) -> Response:
        raise Wrong(HTTPStatus.BAD_REQUEST, "not_a_websocket", "expected websocket")

    @app.get("/api/room/<text>")
    async def room(text: str) -> Response:
        key = _key(text, ids)
        if request.method == "HEAD":
            return answers.head(JSON)
        return await _visit(rooms, key, _describe)

    @app.get("/api/room/<text>/history")
    async def history(text: str) -> Response:
        key = _key(text, ids)
        for name in _NUMBERS:  # before a room is opened for a request that can't be answered
            _number(name)
        if request.method == "HEAD":
            return answers.head(NDJSON)
        return await _visit(rooms, key, partial(_history, settings.max_page_lines))


async def _describe(room: Room) -> Response:
    state = await room.wait_opened()
    return answers.json(
        {"room": room.key.name, **state.head._asdict(), "members": len(state.roster)}
    )


async def _history(max_lines: int, room: Room) -> Response:
    """A page of lines, byte for byte as they are in the file."""
    state = await room.wait_opened()
    log, first, head = room.history, state.base.seq + 1, state.last.seq
    limit = _number("limit")
    most = min(max(100 if limit is None else limit, 1), max_lines)
    if (after := _number("after")) is not None:
        entries = await log.after(max(after, first - 1), most)
        more = bool(entries) and entries[-1].seq < head
    elif (middle := _number("around")) is not None:
        entries = await log.after(max(middle - 1 - most // 2, first - 1), most)
        more = bool(entries) and (entries[0].seq > first or entries[-1].seq < head)
    else:
        before = _number("before")
        entries = await log.before(head + 1 if before is None else min(before, head + 1), most)
        more = bool(entries) and entries[0].seq > first
    return _page(entries, more)


def _page(entries: Sequence[Entry], more: bool) -> Response:
    body = b"".join(entry.line + b"\n" for entry in entries if entry.line is not None)
    headers = {**PRIVATE, "EdgeChat-More": "true" if more else "false"}
    return Response(body, mimetype=NDJSON, headers=headers)


async def _visit(rooms: Rooms, key: RoomKey, do: Callable[[Room], Awaitable[Answer]]) -> Answer:
    """Do something with a room, that must not end meanwhile."""
    try:
        room = rooms.get(key)
    except Full:
        raise Wrong(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Too many rooms are open. Try later."
        ) from None
    with room.visit():
        return await do(room)


def _key(text: str, ids: PrivateIds) -> RoomKey:
    try:
        return room_key(text, ids)
    except BadRoomName as error:
        raise NotFound(str(error)) from None


def _number(name: str) -> int | None:
    """A number of the query; None where it is not there."""
    values = request.args.getlist(name)
    if not values:
        return None
    text = values[0]
    if len(values) > 1:
        raise Wrong(HTTPStatus.BAD_REQUEST, "bad_request", f"{name} must be given once only.")
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        words = f"{name} must be a whole number of at most {_MAX_DIGITS} digits, like {name}=100."
        raise Wrong(HTTPStatus.BAD_REQUEST, "bad_request", words)
    return int(text)
