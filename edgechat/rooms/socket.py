"""What a member needs of a connection: the seam between the living and the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from edgechat.chat.errors import Close


class Disconnected(Exception):
    """The other side is gone, or this side closed."""


# Deals with messages without waiting, and returns those that it leaves.
Handler = Callable[[Sequence[str | None]], Sequence[str | None]]


class Socket(Protocol):
    """A WebSocket, after its handshake."""

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        """The next messages, at least one; None stands for a binary one. Raises `Disconnected`.

        With `handler` this waits on for as long as that leaves nothing: it is given what comes, as
        it comes, in whatever task reads, and waking this one is saved. What it raises is raised
        here.
        """

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order. MUST NOT wait, MUST NOT raise.

        What the network does not take at once waits in a bounded outbox; one who does not read
        is closed 4008 when it is full.
        """

    async def drained(self) -> None:
        """Until the outbox is empty. Raises `Disconnected`."""

    def close(self, code: Close, reason: str = "") -> None:
        """Say good-bye: `receive` ends, nothing more is written. Never waits."""


# Writes the same frames to many sockets, all of one kind, as `Socket.write` would to each.
WriteAll = Callable[[Iterable[Any], bytes], None]


def write_each(sockets: Iterable[Socket], frames: bytes) -> None:
    """A `WriteAll` for any kind of socket."""
    for socket in sockets:
        socket.write(frames)
