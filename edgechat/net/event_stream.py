"""A connection that is only written to from now on: an answer that has no end."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import trio

from edgechat.net.outbox import NotRead
from edgechat.net.sender import Sender
from edgechat.settings import Settings

_open: dict[Sender, None] = {}


@dataclass(frozen=True, slots=True)
class EventStreamStatistics:
    """Those of this process that are open now."""

    open: int
    outbox_bytes: int  # that wait for followers to read


def statistics() -> EventStreamStatistics:
    """As of now."""
    return EventStreamStatistics(len(_open), sum(sender.waiting for sender in _open))


@asynccontextmanager
async def open_stream(connection: socket.socket, settings: Settings) -> AsyncIterator[Sender]:
    """Write to a connection as to a WebSocket's; the block ends where `Sender.close` is called.

    Afterwards what is under way is sent to its end, for a bounded time. Who made the socket closes
    it.
    """
    unread = settings.heartbeat + settings.heartbeat_timeout  # then nobody is there any more
    with suppress(OSError):  # a socket of another kind than TCP
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unread * 1000))
    async with trio.open_nursery() as nursery:
        sender = Sender(connection, nursery, settings)
        _open[sender] = None
        try:
            yield sender
        finally:
            del _open[sender]
        nursery.cancel_scope.cancel()
    with suppress(OSError, NotRead), trio.move_on_after(settings.close_timeout):
        await sender.finish()
