"""Reads the heads of requests, for a bounded time each."""

from __future__ import annotations

import socket
from functools import partial

import trio

from edgechat import system
from edgechat.net import request_head
from edgechat.net.refused import STOPPING, TOO_SLOW, Refused
from edgechat.net.request_head import Head
from edgechat.settings import Settings

_LINE_END = b"\r\n"  # behind a body there may be one that belongs to nothing: RFC 9112, section 2.2


class HeadReader:
    """For all connections: it knows which of them have not sent a whole head."""

    def __init__(self, settings: Settings) -> None:
        # As `request_head.find` does, with what the settings allow.
        self.find = partial(
            request_head.find, most_bytes=settings.head_bytes, most_fields=settings.head_fields
        )
        self.patience = settings.head_timeout  # in which a head must be whole; in seconds
        self._settings = settings
        self._waiting: dict[trio.CancelScope, None] = {}
        self._idle: dict[trio.CancelScope, None] = {}
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many heads are waited for."""
        return len(self._waiting)

    def late(self) -> Refused:
        """What becomes of one that was not whole in time."""
        return Refused(STOPPING if self._is_stopping else TOO_SLOW)

    def read_now(self, connection: socket.socket) -> bytes | None:
        """What is there, no more than a head may have; None if nothing is, empty at the end."""
        try:
            return connection.recv(self._settings.head_bytes)
        except BlockingIOError:
            return None
        except OSError:  # reset
            return b""

    async def read(self, connection: socket.socket) -> Head | None:
        """A request's line and headers; None where the other side went. Raises `Refused`."""
        return await self._read(connection, bytearray())

    async def read_next(self, connection: socket.socket, early: bytes) -> Head | None:
        """The next request on a connection; None where none comes. Raises `Refused`.

        `early` came behind the one before. This does not return without a checkpoint: what comes
        in one go must not keep others out.
        """
        early = early.lstrip(_LINE_END)
        if early:
            await trio.lowlevel.checkpoint()
        elif not await self._wait_next(connection):
            return None
        else:
            data = self.read_now(connection)
            if data is not None:
                if not data:
                    return None
                early = data.lstrip(_LINE_END)
        found = self.find(early) if early else None
        return found or await self._read(connection, bytearray(early))

    def hurry(self) -> None:
        """The server stops: from now on a head gets the last call's time, and a next one none."""
        self._is_stopping = True
        self.patience = self._settings.last_call
        for scope in self._idle:
            scope.cancel()

    def give_up(self) -> None:
        """Wait for no head any more that has begun."""
        for scope in self._waiting:
            scope.cancel()

    async def _wait_next(self, connection: socket.socket) -> bool:
        """Whether something came in time."""
        with trio.move_on_after(0 if self._is_stopping else self._settings.keep_alive) as scope:
            self._idle[scope] = None
            try:
                await system.wait_readable(connection)
                return True
            finally:
                del self._idle[scope]
        return False

    async def _read(self, connection: socket.socket, data: bytearray) -> Head | None:
        """`data` was read of it already."""
        with trio.move_on_after(self.patience) as scope:
            self._waiting[scope] = None
            try:
                while True:
                    await system.wait_readable(connection)
                    more = self.read_now(connection)
                    if more is None:
                        continue
                    known = len(data)
                    data += more
                    if not more:
                        return None
                    if (found := self.find(data, known=known)) is not None:
                        return found
            finally:
                del self._waiting[scope]
        raise self.late()
