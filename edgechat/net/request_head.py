"""A request's line and headers, as far as the door has to know them to part the two ways."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_END = re.compile(rb"\r?\n\r?\n")
_UPGRADE = re.compile(rb"\n[ \t]*upgrade[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"\ncontent-length[ \t]*:", re.IGNORECASE)
_ENCODING = re.compile(rb"\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_START = re.compile(rb"[A-Z]{1,20}( |\Z)")
_ROOM = re.compile(r"/api/room/([^/?#]*)/websocket")


class Refused(Exception):
    """A request that gets no further than the door. `answer` is what it is told, whole."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


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


def refuse(status: HTTPStatus, text: str) -> bytes:
    """A whole answer, for what does not get as far as the HTTP server."""
    body = text.encode() + b"\n"
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n"
    ).encode() + body


NOT_HTTP = refuse(HTTPStatus.BAD_REQUEST, "Not a request of HTTP/1.1.")
AMBIGUOUS = refuse(HTTPStatus.BAD_REQUEST, "A body has one length.")
TOO_LARGE = refuse(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's headers are too large."
)
TOO_SLOW = refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time.")
STOPPING = refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The server is stopping: come back.")
TOO_MANY = refuse(
    HTTPStatus.TOO_MANY_REQUESTS, "Too many connections: close some, or come back later."
)
