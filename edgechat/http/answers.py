"""Answers in the shapes that the API has."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from quart import Response

# Nothing of the API may be kept, and no address of a private room may be told to others.
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
JSON = "application/json"
NDJSON = "application/x-ndjson"
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}


def text(body: str, headers: Mapping[str, str] | None = None) -> Response:
    """A text of one line."""
    return Response(body, mimetype="text/plain", headers={**PRIVATE, **(headers or {})})


def json(
    answer: object,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON object."""
    body = msgspec.json.encode(answer)
    return Response(body, status=status, mimetype=JSON, headers={**PRIVATE, **(headers or {})})


def head(mimetype: str) -> Response:
    """The answer to HEAD where the body would be work: without the headers that depend on it."""
    response = Response("", mimetype=mimetype, headers=PRIVATE)
    del response.headers["Content-Length"]  # RFC 9110, section 8.6: that of the body, or none
    return response


def nothing(headers: Mapping[str, str]) -> Response:
    """The answer to OPTIONS."""
    response = Response("", status=HTTPStatus.NO_CONTENT, headers={**PRIVATE, **headers})
    del response.headers["Content-Length"]
    del response.headers["Content-Type"]
    return response
