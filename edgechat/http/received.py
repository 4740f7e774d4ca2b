"""What the door has received of a request: what HTTP needs to know of it (`net` has both)."""

from __future__ import annotations

import socket
from typing import Protocol


class Caller(Protocol):
    """Who is at the other end of a connection: `net.caller.Caller` is one."""

    @property
    def connection(self) -> socket.socket:
        """The connection."""

    @property
    def peer(self) -> str:
        """The address of the other end."""

    @property
    def may_go_on(self) -> bool:
        """Whether the connection may have a next request."""


class Head(Protocol):
    """What is asked of a head: `net.request_head.Head` is one."""

    @property
    def text(self) -> bytes:
        """The whole head."""

    @property
    def rest(self) -> bytes:
        """What came behind it."""

    @property
    def target(self) -> str:
        """As it stands in the first line."""

    @property
    def method(self) -> bytes:
        """`GET`, or another."""

    @property
    def is_old(self) -> bool:
        """Whether it is of HTTP/1.0."""

    @property
    def has_body(self) -> bool:
        """Whether something belongs to it that comes behind it."""

    def without_offer(self) -> bytes:
        """Its text, without an offer to go on in another protocol."""

    def values(self, name: str) -> list[str]:
        """Of one header, each as often as it came and in order."""
