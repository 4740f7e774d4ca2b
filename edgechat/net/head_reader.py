"""Reads the heads of requests, for a bounded time each."""

from __future__ import annotations

import socket
from contextlib import suppress

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
        self._settings = settings
        self._waiting: dict[trio.CancelScope, None] = {}
        self._idle: dict[trio.CancelScope, None] = {}
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many heads are waited for."""
        return len(self._waiting)

    async def read(self, connection: socket.socket, early: bytes = b"") -> Head | None:
        """A request's line and headers; None where the other side went. Raises `Refused`.

        `early` was read of it already.
        """
        settings = self._settings
        seconds = settings.last_call if self._stopping else settings.head_timeout
        with trio.move_on_after(seconds) as scope:
            self._waiting[scope] = None
            try:
                return await self._read(connection, bytearray(early))
            finally:
                del self._waiting[scope]
        raise Refused(STOPPING if self._stopping else TOO_SLOW)

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
            with suppress(BlockingIOError):
                data = connection.recv(self._settings.head_bytes)
                if not data:
                    return None
                early = data.lstrip(_LINE_END)
        found = self._find(early) if early else None
        return found or await self.read(connection, early)

    def hurry(self) -> None:
        """The server stops: from now on a head gets the last call's time, and a next one none."""
        self._stopping = True
        for scope in self._idle:
            scope.cancel()

    def give_up(self) -> None:
        """Wait for no head any more that has begun."""
        for scope in self._waiting:
            scope.cancel()

    async def _wait_next(self, connection: socket.socket) -> bool:
        """Whether something came in time."""
        with trio.move_on_after(0 if self._stopping else self._settings.keep_alive) as scope:
            self._idle[scope] = None
            try:
                await system.wait_readable(connection)
                return True
            finally:
                del self._idle[scope]
        return False

    async def _read(self, connection: socket.socket, data: bytearray) -> Head | None:
        while True:
            with suppress(BlockingIOError):  # most send it at once: then nothing is waited for
                known = len(data)
                data += connection.recv(self._settings.head_bytes)
                if len(data) == known:
                    return None
                if (found := self._find(data, known)) is not None:
                    return found
            await system.wait_readable(connection)

    def _find(self, data: bytes | bytearray, known: int = 0) -> Head | None:
        settings = self._settings
        return request_head.find(data, settings.head_bytes, known, settings.head_fields)
