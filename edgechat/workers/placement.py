"""Which worker a request is for.

A room is always with the same one of so many workers: its file has one writer. Nothing is stored
of it, so that another number of workers needs no move of a file.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import unquote, urlparse

from edgechat.chat.names import BadRoomName, PrivateIds, RoomKey, room_key
from edgechat.net.request_head import Head, room_text

_ROOM = re.compile(r"/api/room/([^/]+)(?:/.*)?", re.DOTALL)


def place_of(key: RoomKey, workers: int) -> int:
    """The number of the worker that has this room, from 0."""
    digest = blake2b(key.name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % workers


def room_in(head: Head, ids: PrivateIds) -> RoomKey | None:
    """The room that a request is about; None where it is about none, or one that can't be.

    A worker reads the address once more, for itself, and takes no room that is not its own. So a
    difference between the two would cost an answer, and never a second writer of a file.
    """
    text = room_text(head.target) if head.wants_websocket else _text_of(head.target)
    try:
        return None if text is None else room_key(text, ids)
    except BadRoomName:
        return None


def _text_of(target: str) -> str | None:
    """What the HTTP server takes for the room: it decodes before it parts the path."""
    path = unquote(target.partition("?")[0])
    if not path.startswith("/"):
        path = urlparse(path).path
    found = _ROOM.fullmatch(f"/{path.lstrip('/')}")
    return found[1] if found is not None else None
