"""The end of a connection on which something was said that the other side should still read."""

from __future__ import annotations

import socket
from contextlib import suppress

import trio

from edgechat import system

_READ = 16 * 1024  # bytes in one go


async def linger(connection: socket.socket, seconds: float) -> None:
    """Say that no more will come, and read until the other side closes, for so many seconds.

    A socket closed with unread bytes in it is reset, and a reset may overtake what was said
    before it (RFC 9112, section 9.6). The caller closes `connection`.
    """
    with suppress(OSError), trio.move_on_after(seconds):
        connection.shutdown(socket.SHUT_WR)
        while True:
            await system.wait_readable(connection)
            with suppress(BlockingIOError):
                if not connection.recv(_READ):
                    return
