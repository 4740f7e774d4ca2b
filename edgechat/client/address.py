"""A room's address: what people copy from the browser, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_SECURE = {"http": False, "ws": False, "https": True, "wss": True}
_PATH = re.compile(r"(?P<prefix>.*?)(/api)?/room/(?P<room>[^/]+)(/websocket)?/?")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is. `prefix` is the path under which a proxy puts it, without a last `/`."""

    is_secure: bool
    host: str
    port: int
    authority: str  # for the Host header
    prefix: str


@dataclass(frozen=True, slots=True)
class RoomAddress:
    """Where a room is."""

    server: Server
    room: str

    @property
    def target(self) -> str:
        """The path of the room's WebSocket, percent-encoded."""
        return self.api("/websocket")

    def api(self, path: str) -> str:
        """A path of the room's HTTP API, percent-encoded."""
        return f"{self.server.prefix}/api/room/{quote(self.room, safe='')}{path}"


def room_url(server: str, room: str) -> str:
    """The address of a room, by its name or private id, on the server at `http://host:port`."""
    return f"{server.rstrip('/')}/room/{quote(room, safe='')}"


def parse_server(url: str) -> Server:
    """Take a server's address apart: http, https, ws or wss. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in _SECURE or not parts.hostname:
        raise ValueError(f"{url!r} is not an http, https, ws or wss address")
    is_secure = _SECURE[parts.scheme]
    return Server(
        is_secure=is_secure,
        host=parts.hostname,
        port=parts.port or (443 if is_secure else 80),
        authority=parts.netloc.rpartition("@")[2],
        prefix=parts.path.rstrip("/"),
    )


def parse_room(url: str) -> RoomAddress:
    """Take a room's address apart: `…/room/<room>`, or `…/api/room/<room>/websocket`.

    Raises `ValueError`. The name is not checked: the server knows which may be.
    """
    parts = urlsplit(url)
    path = _PATH.fullmatch(parts.path)
    if path is None:
        raise ValueError(f"{url!r} does not end in /room/ and a room's name")
    server = parts._replace(path=path["prefix"], query="", fragment="").geturl()
    return RoomAddress(parse_server(server), unquote(path["room"]))
