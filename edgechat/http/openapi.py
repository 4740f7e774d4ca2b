"""`GET /openapi.yaml`: what this API is, for programs. `docs/openapi.yaml` is the document."""

from __future__ import annotations

import functools
from pathlib import Path

from quart import Response
from quart_trio import QuartTrio

from edgechat.http.answers import ANY_ORIGIN

_NAME = "openapi.yaml"
_HEADERS = {
    **ANY_ORIGIN,  # there is nothing secret in it, and viewers of such documents are pages
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_document(app: QuartTrio) -> None:
    """Add its route."""

    @app.get(f"/{_NAME}")
    async def openapi() -> Response:
        return Response(_read(), mimetype="application/yaml", headers=_HEADERS)  # RFC 9512


@functools.cache
def _read() -> bytes:
    """In the package, or in a checkout beside it."""
    package = Path(__file__).parent.parent
    inside = package / _NAME
    return (inside if inside.is_file() else package.parent / "docs" / _NAME).read_bytes()
