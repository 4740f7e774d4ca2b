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


class HeadReader:
    """For all connections: it knows which of them have not sent a whole head."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: dict[trio.CancelScope, None] = {}
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many heads are waited for."""
        return len(self._waiting)

    async def read(self, connection: socket.socket) -> Head | None:
        """A request's line and headers; None where the other side went. Raises `Refused`."""
        settings = self._settings
        seconds = settings.last_call if self._stopping else settings.head_timeout
        with trio.move_on_after(seconds) as scope:
            self._waiting[scope] = None
            try:
                return await self._read(connection)
            finally:
                del self._waiting[scope]
        raise Refused(STOPPING if self._stopping else TOO_SLOW)

    def hurry(self) -> None:
        """The server stops: from now on a head gets the last call's time."""
        self._stopping = True

    def give_up(self) -> None:
        """Wait for no head any more that has begun."""
        for scope in self._waiting:
            scope.cancel()

    async def _read(self, connection: socket.socket) -> Head | None:
        data = bytearray()
        most_bytes, most_fields = self._settings.head_bytes, self._settings.head_fields
        while True:
            await system.wait_readable(connection)
            with suppress(BlockingIOError):
                known = len(data)
                data += connection.recv(most_bytes)
                if len(data) == known:
                    return None
                found = request_head.find(data, most_bytes, known, most_fields)
                if found is not None:
                    return found
