"""What a member needs of a connection: the seam between the living and the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from edgechat.chat.errors import Close


class Disconnected(Exception):
    """The other side is gone, or this side closed."""


# Deals with messages without waiting, and returns those that it leaves.
Handler = Callable[[Sequence[str | None]], Sequence[str | None]]


class Writer(Protocol):
    """The sending half of a connection."""

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order. MUST NOT wait, MUST NOT raise.

        What the network does not take at once waits in a bounded outbox; a client that does not
        read is closed 4008 when it is full.
        """


class Stream(Writer, Protocol):
    """A connection that is written to."""

    async def drained(self) -> None:
        """Until the outbox is empty. Raises `Disconnected`."""

    def close(self, code: Close, reason: str) -> None:
        """End it: what is done for it is cancelled, nothing more is written. Never waits."""


class Socket(Writer, Protocol):
    """A WebSocket, after its handshake."""

    @property
    def sender(self) -> Writer:
        """What writes: a room's fan-out keeps it, and a `WriteAll` is given many."""

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        """The next messages, at least one; None stands for a binary one. Raises `Disconnected`.

        With `handler` this waits on for as long as that leaves nothing: it is given what comes, as
        it comes, in whatever task reads, and waking this one is saved. What it raises is raised
        here.
        """

    async def drained(self) -> None:
        """Until the outbox is empty. Raises `Disconnected`."""

    def charge(self, frames: float) -> None:
        """Count what was answered without an allowance. Beyond a budget nothing is read a while.

        Never waits, never raises.
        """

    def close(self, code: Close, reason: str = "") -> None:
        """Say good-bye: `receive` ends, nothing more is written. Never waits."""


# Writes the same frames to many, all of one kind, as `Writer.write` would to each.
WriteAll = Callable[[Iterable[Any], bytes], None]


def write_each(writers: Iterable[Writer], frames: bytes) -> None:
    """A `WriteAll` for any kind of writer."""
    for writer in writers:
        writer.write(frames)
