"""Where an engine is: `redis://[user:password@]host[:port][/database]`, `rediss://…`, `unix://…`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_PORT = 6379
_FORM = "write redis://host:6379, rediss://user:password@host:6379/0 or unix:///path/of/socket"


class EngineAddress(NamedTuple):
    """How to reach an engine, and who asks. `str` leaves the password out."""

    host: str  # empty where `path` is
    port: int
    path: str  # of a Unix socket
    tls: bool  # its certificate is checked, for `host`
    user: str
    password: str
    database: int

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.database}"


def parse_address(url: str) -> EngineAddress:
    """The address that a URL says. Raises `ValueError`, whose text says what to write."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise ValueError(f"it is not the address of an engine: {_FORM}") from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "unix" and not host and parts.path:
        return EngineAddress("", 0, unquote(parts.path), False, user, password, 0)
    database = parts.path.strip("/")
    digits = database.isascii() and database.isdigit()
    if parts.scheme not in ("redis", "rediss") or not host or (database and not digits):
        raise ValueError(f"it is not the address of an engine: {_FORM}")
    tls = parts.scheme == "rediss"
    return EngineAddress(host, port, "", tls, user, password, int(database or 0))
