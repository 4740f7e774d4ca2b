"""Answers in the shapes that the API has."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from quart import Response

# Nothing of the API may be kept, and no address of a private room may be told to others.
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
NDJSON = "application/x-ndjson"
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """An answer, whoever sends it. Without a type it has no body, and says nothing of one."""

    status: HTTPStatus
    type: str
    body: bytes
    headers: Mapping[str, str]  # beside those that say what the body is


def plain(body: str, headers: Mapping[str, str] = _NO_HEADERS) -> Answer:
    """A text of one line."""
    return Answer(HTTPStatus.OK, TEXT, body.encode(), {**PRIVATE, **headers})


def encoded(
    body: bytes, status: HTTPStatus, headers: Mapping[str, str] = _NO_HEADERS, type: str = JSON
) -> Answer:
    """JSON, already encoded."""
    return Answer(status, type, body, {**PRIVATE, **headers})


def empty(headers: Mapping[str, str]) -> Answer:
    """The answer to OPTIONS."""
    return Answer(HTTPStatus.NO_CONTENT, "", b"", {**PRIVATE, **headers})


def of_quart(answer: Answer) -> Response:
    """The same for Quart to send."""
    response = Response(answer.body, answer.status, dict(answer.headers))
    if answer.type:
        response.headers["Content-Type"] = answer.type
    else:
        del response.headers["Content-Length"]
        del response.headers["Content-Type"]
    return response


def text(body: str, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """A text of one line."""
    return of_quart(plain(body, headers))


def json(
    answer: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] = _NO_HEADERS
) -> Response:
    """A JSON object."""
    return of_quart(encoded(msgspec.json.encode(answer), status, headers))


def head(mimetype: str) -> Response:
    """The answer to HEAD where the body would be work: without the headers that depend on it."""
    response = Response("", mimetype=mimetype, headers=PRIVATE)
    del response.headers["Content-Length"]  # RFC 9110, section 8.6: that of the body, or none
    return response


def nothing(headers: Mapping[str, str]) -> Response:
    """The answer to OPTIONS."""
    return of_quart(empty(headers))
