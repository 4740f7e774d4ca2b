"""Requests that do something with a room: which room, whether they may, and that it stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from quart import request

from edgechat.chat.names import BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.chat.origin import may_talk
from edgechat.http.errors import NotFound, Wrong
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

Rooms = Registry[RoomKey, Room]
Answer = TypeVar("Answer")


async def visit(rooms: Rooms, key: RoomKey, do: Callable[[Room], Awaitable[Answer]]) -> Answer:
    """Do something with a room, that must not end meanwhile."""
    room = open_room(rooms, key)
    with room.visit():
        return await do(room)


def open_room(rooms: Rooms, key: RoomKey) -> Room:
    """The room, that must be visited at once. Raises `Wrong` where there are too many."""
    try:
        return rooms.get(key)
    except Full:
        raise Wrong(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Too many rooms are open. Try later."
        ) from None


def find_key(text: str, ids: PrivateIds) -> RoomKey:
    """The room that an address names. Raises `NotFound`."""
    try:
        return room_key(text, ids)
    except BadRoomName as error:
        raise NotFound(str(error)) from None


def check_may_talk(settings: Settings, ready: Callable[[], bool]) -> None:
    """Raises `Wrong` while the server stops, and for pages of sites that are not allowed.

    A browser sends a plain POST of any page, and only keeps the answer from it.
    """
    origins, hosts = request.headers.getlist("Origin"), request.headers.getlist("Host")
    origin = ",".join(origins) if origins else None
    if not may_talk(origin, ",".join(hosts), settings.allowed_origins):
        text = "A page of this site may not talk here."
        raise Wrong(HTTPStatus.FORBIDDEN, "origin_refused", text)
    if not ready():
        text = "The server is stopping: come back."
        raise Wrong(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text)
