"""One webhook: a room, and the address to which its lines are posted."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from edgechat.chat.names import PrivateIds, RoomKey, public_room_name, room_key

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63})*\.?|[0-9a-f:.]+", re.IGNORECASE)
_TARGET = re.compile(r"[!-~]*")  # no blank, no control character, ASCII: RFC 9112, section 3.2
_PRIVATE_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_LIKE = "write a room and an address, like ops=https://example.org/hook"


class Target(NamedTuple):
    """Where to post. Its text is for logs: the path, which often is a password, is not in it."""

    scheme: str
    host: str
    port: int
    authority: str  # for the Host header
    path: str  # with the query

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Hook(NamedTuple):
    """A webhook as it was asked for."""

    key: RoomKey
    url: str
    target: Target

    @property
    def room(self) -> str:
        """What the target is told of the room's name.

        A private room's id is its only lock, and receivers log what they get: so this is a digest
        of it, which tells two rooms apart and opens none.
        """
        if not self.key.private:
            return self.key.name
        return f"private-{hashlib.blake2b(self.key.name.encode(), digest_size=8).hexdigest()}"

    @property
    def id(self) -> str:
        """The room's part of `webhook-id`, which is a header: percent-encoded UTF-8."""
        return quote(self.room, safe="")

    @property
    def file_name(self) -> str:
        """The name of the file with its position: always the same for the same room and URL."""
        whole = f"{self.key.name}\n{self.url}".encode()
        return f"{hashlib.blake2b(whole, digest_size=16).hexdigest()}.json"


def split_hook(text: str) -> tuple[str, str]:
    """The room and the URL in `ROOM=URL`.

    Raises `ValueError` (`BadRoomName` is one) for what can't be either, with words for people.
    """
    room, equals, url = text.strip().partition("=")
    if not equals:
        raise ValueError(_LIKE)
    if not _PRIVATE_ID.fullmatch(room):
        public_room_name(room)
    parse_target(url)
    return room, url


def parse_hook(text: str, ids: PrivateIds) -> Hook:
    """The webhook that `ROOM=URL` asks for.

    Raises `ValueError`: also for a private room's id that was not given out here.
    """
    room, url = split_hook(text)
    return Hook(room_key(room, ids), url, parse_target(url))


def parse_target(url: str) -> Target:
    """Take an http or https address apart. Raises `ValueError`, with words for people."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ValueError(_LIKE)
    if parts.username is not None or parts.fragment:
        raise ValueError("a webhook's address has no user name, password or #fragment in it")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(path):
        raise ValueError("a webhook's address has to be percent-encoded")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], parts.netloc, path)
