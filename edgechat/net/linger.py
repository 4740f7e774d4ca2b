"""The end of a connection on which something was said that the other side should still read."""

from __future__ import annotations

import socket
from contextlib import suppress

import trio

from edgechat import system
from edgechat.net.frames import FrameReader

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


async def wait_close_frame(connection: socket.socket, reader: FrameReader) -> None:
    """Until the other side's close frame came, or the connection's end. Raises `OSError`.

    The caller bounds it. What comes before that frame is passed over, a few frames at once.
    """
    while not reader.ended:
        if reader.more:
            await trio.lowlevel.checkpoint()
            reader.feed(b"")
            continue
        await system.wait_readable(connection)
        with suppress(BlockingIOError):
            data = connection.recv(_READ)
            if not data:
                return
            reader.feed(data)
