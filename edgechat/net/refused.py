"""What gets no further than the door: why, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

import msgspec


class Reason(NamedTuple):
    """Why something is refused: the word under which it is counted, and its whole answer."""

    word: str
    answer: bytes


class Refused(Exception):
    """A request that is refused at the door."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.word)
        self.reason = reason


def refuse(
    word: str,
    status: HTTPStatus,
    text: str,
    code: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Reason:
    """A reason with an answer like the API's, for what does not get as far as the HTTP server.

    A client can tell by its code, the status's name where none is given, that the server itself
    refuses, and no proxy in its place.
    """
    body = msgspec.json.encode({"error": text, "code": code or status.name.lower()}) + b"\n"
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{more}"
        f"Connection: close\r\n\r\n"
    )
    return Reason(word, head.encode() + body)


NOT_HTTP = refuse("not http", HTTPStatus.BAD_REQUEST, "Not a request of HTTP/1.1.")
OTHER_VERSION = refuse(
    "not http", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 is spoken here."
)
BAD_HEAD = refuse("bad head", HTTPStatus.BAD_REQUEST, "The request's headers are malformed.")
BAD_HOST = refuse(
    "bad host", HTTPStatus.BAD_REQUEST, "A request has one Host, which is well-formed."
)
OTHER_HOST = refuse(
    "other host",
    HTTPStatus.MISDIRECTED_REQUEST,
    "This server does not go by that name. If it is its name: edgechat serve --public-host NAME",
)
AMBIGUOUS = refuse("two lengths", HTTPStatus.BAD_REQUEST, "A body has one length.")
OTHER_CODING = refuse(
    "bad head", HTTPStatus.NOT_IMPLEMENTED, "A body comes whole or in chunks, and in no other way."
)
TOO_LARGE = refuse(
    "large head",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The request's headers are too large.",
)
TOO_SLOW = refuse("slow head", HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time.")
_MANY = "Too many connections: close some, or come back later."


def _too_many(word: str, seconds: int) -> Reason:
    """It may be asked again after so many seconds."""
    later = {"Retry-After": str(seconds)}
    return refuse(word, HTTPStatus.TOO_MANY_REQUESTS, _MANY, headers=later)


STOPPING = refuse(
    "stopping",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The server is stopping: come back.",
    headers={"Retry-After": "1"},
)
FULL = _too_many("full", 5)
TOO_MANY = _too_many("too many of one address", 5)
TOO_FAST = _too_many("too fast for one address", 60)  # those of a minute are counted together
TOO_MANY_ROOMS = _too_many("too many rooms", 5)
