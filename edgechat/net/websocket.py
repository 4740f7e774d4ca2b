"""A WebSocket on a plain non-blocking socket: a half that receives and a half that sends."""

from __future__ import annotations

import socket
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from math import inf
from typing import Any

import trio

from edgechat.chat.errors import Close
from edgechat.net.budget import Budget, Budgets
from edgechat.net.linger import linger, wait_close_frame
from edgechat.net.outbox import NotRead
from edgechat.net.receiver import Receiver
from edgechat.net.sender import PING, Sender
from edgechat.rooms.socket import Handler
from edgechat.settings import Settings


class WebSocket:
    """One connection after its handshake; a `rooms.socket.Socket` and a `heartbeat.Beating`.

    `nursery` runs its writer and whoever reads. `close` cancels it; after it, `finish` says
    good-bye. Who made the socket closes it.
    """

    __slots__ = ("_budget", "_close_timeout", "_connection", "receiver", "sender")

    def __init__(
        self,
        connection: socket.socket,
        nursery: trio.Nursery,
        settings: Settings,
        early: bytes,
        budget: Budget | None = None,
    ) -> None:
        """`early` is what came right behind the handshake. `budget` by default: shared by none."""
        self._connection = connection
        self._close_timeout = settings.close_timeout
        self.sender = Sender(connection, nursery, settings)
        self._budget = budget or Budgets(settings).of(None)
        size = settings.max_frame_bytes
        self.receiver = Receiver(connection, self.sender, self._budget, size)
        self.receiver.keep(early)

    @property
    def silence(self) -> int:
        """Ticks of the heartbeat since something came."""
        return self.receiver.silence

    @silence.setter
    def silence(self, ticks: int) -> None:
        self.receiver.silence = ticks

    @property
    def close_code(self) -> int | None:
        """Of the close frame that this side has sent, or would have; None if there is none."""
        return self.receiver.reader.close_code

    def receive(self, handler: Handler | None = None) -> Coroutine[Any, Any, Sequence[str | None]]:
        """The next messages; see `rooms.socket.Socket`."""
        return self.receiver.receive(handler)

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order; see `rooms.socket.Socket`."""
        self.sender.write(frames)

    async def drained(self) -> None:
        """Until the outbox is empty; see `rooms.socket.Socket`."""
        await self.sender.drained()

    def charge(self, frames: float = 1.0) -> None:
        """Something it sent cost as much as so many frames, and nobody's allowance: `budget`.

        When there is nothing left, nothing is read from it for a while. Never waits, never raises.
        """
        self._budget.charge(frames)

    def ping(self) -> None:
        """Ask whether the other side lives."""
        self.write(PING)

    def close(self, code: Close, reason: str = "") -> None:
        """End the tasks, and leave the close frame to `finish`. What waits is dropped."""
        self.sender.close(code, reason)

    async def finish(self) -> None:
        """Send what is left, and wait for the other side to close, for a bounded time.

        A socket closed with unread bytes in it is reset, and the other side might never see why:
        so they are read until it closes (RFC 6455, section 7.1.1; RFC 9112, section 9.6).
        """
        sender, reader = self.sender, self.receiver.reader
        if sender.goodbye is not None:
            sender.add_farewell(reader.close(*sender.goodbye))
        with suppress(OSError, NotRead), trio.move_on_after(self._close_timeout):
            await sender.finish()
            await wait_close_frame(self._connection, reader)
            await linger(self._connection, inf)  # it is bounded already
