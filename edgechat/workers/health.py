"""`/livez` and `/readyz`, as the front answers them: as the app does, without a worker."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

from edgechat.net.request_head import Head

_PATHS = ("/livez", "/readyz")
_HEADERS = (
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Connection: close\r\n"
)
_NOT_READY = (
    b'{"error":"The server is stopping, or can\'t store messages now.","code":"unavailable"}'
)


def asked(head: Head) -> str | None:
    """The path, where a request asks how the server is, and nothing about it is unusual.

    None for any other, of which a worker's HTTP server makes what it makes of it.
    """
    path = head.target.partition("?")[0]
    if path not in _PATHS:
        return None
    is_plain = head.method in (b"GET", b"HEAD") and not head.has_body
    is_plain = is_plain and len(head.values("Host")) == 1 and b"expect" not in head.names
    return path if is_plain and not head.wants_websocket else None


def answer(head: Head, path: str, *, is_well: bool) -> bytes:
    """The whole answer: the server lives, or takes and stores messages; or not."""
    if is_well:
        body = b"alive" if path == "/livez" else b"ready"
        return _answer(head, HTTPStatus.OK, "text/plain; charset=utf-8", body)
    return _answer(head, HTTPStatus.SERVICE_UNAVAILABLE, "application/json", _NOT_READY)


def _answer(head: Head, status: HTTPStatus, kind: str, body: bytes) -> bytes:
    text = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{_HEADERS}\r\n"
    )
    return text.encode() + (b"" if head.method == b"HEAD" else body)
