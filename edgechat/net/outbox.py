"""What a socket did not take at once: it waits here, in order, until it does."""

from __future__ import annotations

import socket
from collections import deque

import trio

from edgechat import system
from edgechat.settings import Settings


class NotRead(Exception):
    """The other side does not read what is sent to it."""


class Outbox:
    """One connection's, for as long as something waits."""

    __slots__ = ("_pieces", "_settings", "_socket", "bytes", "over")

    def __init__(self, socket: socket.socket, settings: Settings) -> None:
        self.over = trio.Event()  # set by whoever drains it: it is empty, or given up
        self._socket = socket
        self._settings = settings
        self._pieces: deque[bytes] = deque()
        self.bytes = 0  # that wait

    @property
    def too_full(self) -> bool:
        """Whether more waits than may wait."""
        return self.bytes > self._settings.outbox_bytes

    def put(self, piece: bytes) -> None:
        """It goes after all else."""
        self._pieces.append(piece)
        self.bytes += len(piece)

    def cut(self) -> None:
        """Drop what waits, but for the first piece: a part of it may be on its way already."""
        while len(self._pieces) > 1:
            self.bytes -= len(self._pieces.pop())

    async def drain(self) -> None:
        """Until nothing waits. Raises `OSError`, and `NotRead`.

        The latter where nothing was taken for `Settings.stall_timeout`, or where something always
        waited for `Settings.outbox_timeout`, so that nobody is waited for by the byte.
        """
        with trio.move_on_after(self._settings.outbox_timeout):
            while self._pieces:
                await self._send_some()
            return
        raise NotRead

    async def _send_some(self) -> None:
        with trio.move_on_after(self._settings.stall_timeout) as patience:
            await system.wait_writable(self._socket)
        if patience.cancelled_caught:
            raise NotRead
        piece = self._pieces.popleft()
        sent = self._socket.send(piece)
        self.bytes -= sent
        if sent < len(piece):
            self._pieces.appendleft(piece[sent:])
