"""A request's line and headers, as far as the door has to know them to part the two ways."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edgechat.net.refused import AMBIGUOUS, NOT_HTTP, TOO_LARGE, Refused

_END = re.compile(rb"\r?\n\r?\n")
_UPGRADE = re.compile(rb"\n[ \t]*upgrade[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"\ncontent-length[ \t]*:", re.IGNORECASE)
_ENCODING = re.compile(rb"\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_START = re.compile(rb"[A-Z]{1,20}( |\Z)")
_ROOM = re.compile(r"/api/room/([^/?#]*)/websocket")


class Head(NamedTuple):
    """A whole head, with the empty line at its end, and what came behind it."""

    text: bytes
    rest: bytes

    @property
    def wants_upgrade(self) -> bool:
        """Whether it has an `Upgrade` header, however it is written."""
        return _UPGRADE.search(self.text) is not None


def find(data: bytes, most_bytes: int) -> Head | None:
    """The head at the start of `data`; None while it is not whole. Raises `Refused`."""
    if _START.match(data[:24]) is None or data.startswith(b"PRI "):
        raise Refused(NOT_HTTP)
    end = _END.search(data, 0, most_bytes)
    if end is None:
        if len(data) >= most_bytes:
            raise Refused(TOO_LARGE)
        return None
    found = Head(data[: end.end()], data[end.end() :])
    if _LENGTH.search(found.text) and _ENCODING.search(found.text):
        raise Refused(AMBIGUOUS)  # two lengths, one body: RFC 9112, section 6.3
    return found


def room_text(target: str) -> str | None:
    """What stands in the place of a room's name in a WebSocket's address; None for any other.

    Percent-encoded UTF-8 is decoded after the path is split, so that `%2f` parts nothing.
    """
    match = _ROOM.fullmatch(target.partition("?")[0])
    if match is None:
        return None
    return unquote_to_bytes(match[1]).decode("utf-8", errors="replace")
