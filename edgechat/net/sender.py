"""The half of a WebSocket that sends: one system call for each write, none that waits.

Everything that is sent goes through here, control frames too, so that it goes in order. What the
kernel does not take at once waits in an `outbox`, and a writer task drains it; there are both only
while something waits.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from enum import Enum

import trio

from edgechat.chat.errors import Close
from edgechat.net.outbox import NotRead, Outbox
from edgechat.rooms.socket import Disconnected
from edgechat.settings import Settings

PING = b"\x89\x00"
_NOT_READ = "it did not read what was sent to it"


class Phase(Enum):
    """What may still be done with a WebSocket."""

    OPEN = "messages are received, frames are written"
    CLOSING = "nothing is received or written any more, but for what `finish` says"
    GONE = "the connection is broken: not one more byte"


# A phase, and those that may follow it. The tasks of a connection are cancelled whenever it leaves
# OPEN, but by `finish`, which comes after them.
_NEXT = {
    Phase.OPEN: {Phase.CLOSING, Phase.GONE},
    Phase.CLOSING: {Phase.GONE},
    Phase.GONE: set[Phase](),
}


class Sender:
    """Writes to one connection. `nursery` runs its writer; whatever ends the connection cancels it.

    `direct` is the socket, but None while nothing may be written past the outbox, or at all.
    """

    __slots__ = (
        "_farewell",
        "_nursery",
        "_outbox",
        "_settings",
        "_socket",
        "direct",
        "goodbye",
        "phase",
    )

    def __init__(
        self, connection: socket.socket, nursery: trio.Nursery, settings: Settings
    ) -> None:
        self.phase = Phase.OPEN
        self.direct: socket.socket | None = connection
        self.goodbye: tuple[Close, str] | None = None  # why this side closes, if it does
        self._socket = connection
        self._nursery = nursery
        self._settings = settings
        self._outbox: Outbox | None = None  # while something waits
        self._farewell = b""  # the last frames: a close, or the reply to the other side's

    @property
    def waiting(self) -> int:
        """Bytes in the outbox."""
        return 0 if self._outbox is None else self._outbox.bytes

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order; `write_all` does the same for many."""
        if self.direct is None:
            self.queue(frames)
            return
        try:
            sent = self.direct.send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.give_up()
            return
        if sent < len(frames):
            self.block(frames[sent:])

    @staticmethod
    def write_all(senders: Iterable[Sender], frames: bytes) -> None:
        """`write` to each of many; a `rooms.socket.WriteAll`.

        One loop that touches little: a call for each was up to a fifth of telling a big room.
        """
        size = len(frames)
        for sender in senders:
            direct = sender.direct
            if direct is None:
                sender.queue(frames)
                continue
            try:
                sent = direct.send(frames)
            except BlockingIOError:
                sent = 0
            except OSError:
                sender.give_up()
                continue
            if sent < size:
                sender.block(frames[sent:])

    def block(self, rest: bytes) -> None:
        """The kernel takes no more now: `rest`, and what follows it, goes to the outbox."""
        self.direct = None
        self._outbox = outbox = Outbox(self._socket, self._settings)
        self.queue(rest)
        if self.phase is Phase.OPEN:
            self._nursery.start_soon(self._write_out, outbox, name="writer")

    def queue(self, frames: bytes) -> None:
        """Write behind what waits; nothing, where nothing may be written."""
        if self.phase is Phase.OPEN and self._outbox is not None:
            self._outbox.put(frames)
            if self._outbox.too_full:
                self.close(Close.SLOW, _NOT_READ)

    def add_farewell(self, frames: bytes) -> None:
        """`finish` shall send them, behind all else."""
        self._farewell += frames

    async def drained(self) -> None:
        """Until the outbox is empty: bounded, as a client that does not read is closed 4008."""
        if self._outbox is not None and self.phase is Phase.OPEN:
            await self._outbox.over.wait()
        if self.phase is not Phase.OPEN:
            raise Disconnected

    def close(self, code: Close, reason: str) -> None:
        """End the tasks. What waits is dropped; `finish` says why."""
        if self._enter(Phase.CLOSING):
            self.goodbye = code, reason
            if self._outbox is not None:
                self._outbox.cut()
            self._nursery.cancel_scope.cancel()

    def give_up(self) -> None:
        """The connection is broken."""
        if self._enter(Phase.GONE):
            self._outbox = None
            self._nursery.cancel_scope.cancel()

    async def finish(self) -> None:
        """Send what is left and the farewell. Raises `NotRead` and `OSError`.

        The caller bounds it. Where the connection is broken it does nothing.
        """
        self._enter(Phase.CLOSING)
        if self.phase is Phase.CLOSING:
            outbox = self._outbox or Outbox(self._socket, self._settings)
            if self._farewell:
                outbox.put(self._farewell)
            await outbox.drain()

    def _enter(self, phase: Phase) -> bool:
        """Leave the phase for another; False where that can't follow."""
        if phase not in _NEXT[self.phase]:
            return False
        self.direct, self.phase = None, phase
        return True

    async def _write_out(self, outbox: Outbox) -> None:
        """The writer: ends with an empty outbox, or with the connection."""
        try:
            await outbox.drain()
            if self.phase is Phase.OPEN:
                self.direct, self._outbox = self._socket, None
        except NotRead:
            self.close(Close.SLOW, _NOT_READ)
        except OSError:
            self.give_up()
        finally:
            outbox.over.set()
