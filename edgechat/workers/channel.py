"""One end of what joins the front and a worker: whole messages in order, and connections with them.

It is a `SOCK_SEQPACKET` socket pair (unix(7)). The kernel bounds how much waits in it: some hundred
requests. With a message goes at most one descriptor (`SCM_RIGHTS`).
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable
from typing import Any

import msgspec
import trio

from edgechat import system
from edgechat.workers.messages import Message, decoder, encode

_INT = struct.Struct("i")
_ROOM_FOR_ONE = socket.CMSG_LEN(_INT.size)
_BREATH = 0.01  # seconds until the next try where too many descriptors are on their way


class ChannelClosed(Exception):
    """The other side is gone, or this one has said its last word."""


class BadMessage(Exception):
    """What came is no message of ours: a defect."""


class Channel:
    """Sends messages of one kind, and receives those of another."""

    def __init__(self, end: socket.socket, incoming: Any, most_bytes: int) -> None:
        """`incoming` is `ToWorker` or `ToFront`. The end is closed by `close`."""
        end.setblocking(False)
        self._end = end
        self._decode = decoder(incoming).decode
        self._most = most_bytes
        self._turn = trio.Lock()  # of those that wait for room: only one can
        self._is_over = False
        self._is_crowded = False  # too many descriptors are on their way; it is no lack of room

    def close(self) -> None:
        """Nothing is sent or received any more."""
        self._is_over = True
        trio.lowlevel.notify_closing(self._end)
        self._end.close()

    async def send(self, message: Message, descriptor: int | None = None) -> None:
        """Send it, and wait for room where there is none. Raises `ChannelClosed`.

        `descriptor` is copied to the other process; the caller closes its own. A cancelled `send`
        has sent nothing.
        """
        data = encode(message)
        if self._turn_is_taken() or not self._try(data, descriptor):
            async with self._turn:
                while not self._try(data, descriptor):
                    await self._wait()

    def offer(self, message: Message) -> bool:
        """Send it if there is room. Never waits. Raises `ChannelClosed`."""
        return not self._turn_is_taken() and self._try(encode(message), None)

    async def finish(self, message: Message) -> None:
        """Send the last message. From now on `send` raises `ChannelClosed`, also where it waits."""
        self._is_over = True
        data = encode(message)
        async with self._turn:
            while not self._write(data, None):
                await self._wait()

    async def receive(self) -> tuple[Any, int | None]:
        """The next message and the descriptor that came with it, which is the caller's.

        It does not wait where there is one already. Raises `ChannelClosed`, `BadMessage`.
        """
        while (found := self.receive_nowait()) is None:
            await self.wait()
        return found

    def receive_nowait(self) -> tuple[Any, int | None] | None:
        """The same; None where there is none. Raises `ChannelClosed`, `BadMessage`."""
        try:
            # Not `socket.recv_fds`: in Python 3.11 it passes over its flags.
            data, ancillary, *_ = self._end.recvmsg(
                self._most, _ROOM_FOR_ONE, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return None
        except OSError:
            raise ChannelClosed from None
        if not data:
            raise ChannelClosed
        descriptor = _descriptor_in(ancillary)
        try:
            return self._decode(data), descriptor  # one that is cut off can't be decoded
        except msgspec.DecodeError as error:
            if descriptor is not None:
                system.close(descriptor)
            raise BadMessage(str(error)) from None

    async def wait(self) -> None:
        """Until something may be received. Raises `ChannelClosed`."""
        try:
            await system.wait_readable(self._end)
        except (OSError, trio.ClosedResourceError):
            raise ChannelClosed from None

    def _turn_is_taken(self) -> bool:
        """Whether others wait for room. Raises `ChannelClosed`."""
        if self._is_over:
            raise ChannelClosed
        return self._turn.locked()

    async def _wait(self) -> None:
        try:
            await system.wait_writable(self._end)
        except (OSError, trio.ClosedResourceError):
            raise ChannelClosed from None
        if self._is_crowded:
            await trio.sleep(_BREATH)

    def _try(self, data: bytes, descriptor: int | None) -> bool:
        if self._is_over:
            raise ChannelClosed
        return self._write(data, descriptor)

    def _write(self, data: bytes, descriptor: int | None) -> bool:
        """Whether there was room. Raises `ChannelClosed`."""
        self._is_crowded = False
        try:
            socket.send_fds(self._end, [data], [] if descriptor is None else [descriptor])
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:
                self._is_crowded = True
                return False
            raise ChannelClosed from None
        return True


def _descriptor_in(ancillary: Iterable[tuple[int, int, bytes]]) -> int | None:
    """The one that came along: cmsg(3)."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS) and len(data) >= _INT.size:
            (descriptor,) = _INT.unpack_from(data)
            return int(descriptor)
    return None
