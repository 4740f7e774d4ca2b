"""The API of rooms (`docs/protocol.md`, HTTP), and what all its parts begin with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from quart import Response, request
from quart_trio import QuartTrio

from edgechat import system
from edgechat.chat.names import RANDOM_BYTES, BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.chat.origin import may_talk, parse_origins
from edgechat.http import answers
from edgechat.http.answers import ANY_ORIGIN, JSON
from edgechat.http.asked import Asked
from edgechat.http.errors import NotFound, Wrong
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

Rooms = Registry[RoomKey, Room]
Answer = TypeVar("Answer")


def add_api(app: QuartTrio, rooms: Rooms, ids: PrivateIds) -> None:
    """Add the routes that say what a room is, and make private ones."""

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
        key = find_key(text, ids)
        if request.method == "HEAD":
            return answers.head(JSON)
        return await visit(rooms, key, _describe)


async def _describe(room: Room) -> Response:
    state = await room.wait_opened()
    head = {"room": room.key.name, **state.head._asdict(), "members": len(state.roster)}
    return answers.json({**head, "limits": state.limits})


async def visit(rooms: Rooms, key: RoomKey, do: Callable[[Room], Awaitable[Answer]]) -> Answer:
    """Do something with a room, that must not end meanwhile. Raises `Wrong` if too many are."""
    try:
        room = rooms.get(key)
    except Full:
        raise Wrong(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Too many rooms are open. Try later."
        ) from None
    with room.visit():
        return await do(room)


def find_key(text: str, ids: PrivateIds) -> RoomKey:
    """The room that an address names. Raises `NotFound`."""
    try:
        return room_key(text, ids)
    except BadRoomName as error:
        raise NotFound(str(error)) from None


def check_may_talk(asked: Asked, settings: Settings, ready: Callable[[], bool]) -> None:
    """Raises `Wrong` while the server stops, and for pages of sites that are not allowed.

    A browser sends a plain POST of any page, and only keeps the answer from it.
    """
    origins, hosts = asked.values("Origin"), asked.values("Host")
    origin = ",".join(origins) if origins else None
    if not may_talk(origin, ",".join(hosts), parse_origins(settings.allowed_origins)):
        text = "A page of this site may not talk here."
        raise Wrong(HTTPStatus.FORBIDDEN, "origin_refused", text)
    if not ready():
        text = "The server is stopping: come back."
        raise Wrong(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text)
