"""Whose pages may talk to a server (RFC 6454): its own, and those of sites on its list."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit


def may_talk(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Whether the page that asks is ours, or on the list. No origin at all: not a browser.

    `origin` and `host` are the headers of these names.
    """
    if origin is None or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        default = {"http": 80, "https": 443}.get(parts.scheme)
        ours = urlsplit(f"//{host}")
        return (
            default is not None
            and parts.hostname is not None
            and (parts.hostname, parts.port or default) == (ours.hostname, ours.port or default)
        )
    except ValueError:
        return False
