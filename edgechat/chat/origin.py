"""Where a web page comes from (RFC 6454): what a browser says in `Origin`."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Two pages are of one site if all three are the same."""

    scheme: str
    host: str
    port: int


def parse_origin(text: str) -> Origin:
    """`https://chat.example`, with a port if it is not the scheme's own, and a slash at the end.

    Raises `ValueError`, with a text for a person, for all else: `null` is not an origin, and
    neither is a name without its scheme, nor `*`.
    """
    wrong = f"not an origin, as https://chat.example is one: {text!r}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    beyond = parts.path.removeprefix("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _PORTS or not parts.hostname or beyond or "*" in parts.hostname:
        raise ValueError(wrong)
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


@cache
def parse_origins(texts: tuple[str, ...]) -> frozenset[Origin]:
    """A server's list of sites. Raises `ValueError`."""
    return frozenset(map(parse_origin, texts))


def may_talk(origin: str | None, host: str, allowed: Collection[Origin]) -> bool:
    """Whether the page that asks is ours, or on the list. No origin at all: not a browser.

    `origin` and `host` are the headers of these names. A proxy may have taken the TLS off, so our
    own scheme is not known: the page's is taken.
    """
    if origin is None:
        return True
    try:
        page = parse_origin(origin)
        return page in allowed or page == parse_origin(f"{page.scheme}://{host}")
    except ValueError:
        return False
