"""What a page of another site may do with the API and the client (the Fetch standard, CORS)."""

from __future__ import annotations

from collections.abc import Collection

from quart import Response, request
from quart_trio import QuartTrio

from edgechat.http.asked import Asked, asked_of_quart

_ROOMS = "/api/room/"
_CLIENT = ("/client.", "/assets/")  # the JavaScript client, and its modules
_EXPOSED = "EdgeChat-More, EdgeChat-Next, EdgeChat-Since, Location, Retry-After"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}


def add_cors(app: QuartTrio, origins: Collection[str]) -> None:
    """Open the API of rooms and its client to pages of these sites, and of no other."""
    if not origins:
        return

    @app.after_request
    async def allow(response: Response) -> Response:
        if request.path.startswith((_ROOMS, *_CLIENT)):
            allow_origin(response, origins)
        return response


def allow_origin(response: Response, origins: Collection[str]) -> None:
    """Let the page that asked read Quart's answer, if it may."""
    headers = cors_headers(asked_of_quart(), origins)
    response.headers.add("Vary", headers.pop("Vary"))
    response.headers.update(headers)


def cors_headers(asked: Asked, origins: Collection[str]) -> dict[str, str]:
    """The headers with which the page that asked may read the answer, if it may; and `Vary`."""
    headers = {"Vary": "Origin"}
    origin = next(iter(asked.values("Origin")), None)
    if origin is not None and origin in origins:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED
        if asked.method == "OPTIONS":
            headers.update(_PREFLIGHT)
    return headers
