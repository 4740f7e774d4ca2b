"""A WebSocket on a plain non-blocking socket: one system call for each write, none that waits.

Everything that is sent goes through `WebSocket.write`, control frames too, so that it goes in
order. What the kernel does not take at once waits in the outbox, and a writer task drains it;
there is such a task only while something waits.
"""

from __future__ import annotations

import socket as stdlib
from collections import deque
from collections.abc import Iterable

import trio
from trio.lowlevel import wait_readable, wait_writable

from edgechat.core.errors import Close
from edgechat.edge.frames import FrameReader
from edgechat.settings import Settings
from edgechat.tasks.socket import Disconnected

_READ = 16 * 1024  # bytes in one go
_PING = b"\x89\x00"


class WebSocket:
    """One connection after its handshake; a `tasks.socket.Socket` and a `heartbeat.Beating`.

    `nursery` runs its writer and whoever reads. `close` cancels it; after it, `finish` says
    good-bye. Who made the socket closes it.
    """

    __slots__ = (
        "_blocked",
        "_closing",
        "_early",
        "_empty",
        "_farewell",
        "_nursery",
        "_outbox",
        "_reader",
        "_send",
        "_settings",
        "_socket",
        "_waiting",
        "silence",
    )

    def __init__(
        self, socket: stdlib.socket, nursery: trio.Nursery, settings: Settings, early: bytes
    ) -> None:
        """`early` is what came right behind the handshake."""
        self.silence = 0
        self._socket = socket
        self._send = socket.send
        self._nursery = nursery
        self._settings = settings
        self._early = early
        self._reader = FrameReader(settings.max_frame_bytes)
        self._outbox: deque[bytes] | None = None
        self._waiting = 0  # bytes in the outbox
        self._empty: trio.Event | None = None  # there while the outbox is not
        self._farewell = b""  # the reply to the other side's close
        self._blocked = False  # nothing may be written past the outbox
        self._closing = False  # nothing more is written at all

    async def receive(self) -> list[str | None]:
        """The next messages, at least one; None stands for a binary one."""
        messages: list[str | None] = []
        while not messages:
            if self._closing or self._reader.ended:
                raise Disconnected
            messages = self._take(self._early or await self._read())
            self._early = b""
        return messages

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order; see `tasks.socket.Socket`."""
        self.write_all((self,), frames)

    @staticmethod
    def write_all(sockets: Iterable[WebSocket], frames: bytes) -> None:
        """`write` to each of many; a `tasks.socket.WriteAll`.

        One loop that touches little: a method of each was up to a fifth of telling a big room.
        """
        size = len(frames)
        for socket in sockets:
            if socket._blocked:
                socket._queue(frames)
                continue
            try:
                sent = socket._send(frames)
            except BlockingIOError:
                sent = 0
            except OSError:
                socket._give_up()
                continue
            if sent < size:
                socket._block(frames[sent:])

    async def drained(self) -> None:
        """Until the outbox is empty: bounded, as one who does not read is closed 4008."""
        if self._empty is not None:
            await self._empty.wait()
        if self._closing:
            raise Disconnected

    def ping(self) -> None:
        """Ask whether the other side lives."""
        self.write(_PING)

    def close(self, code: Close, reason: str = "") -> None:
        """End the tasks, and leave a close frame for `finish`.

        Of what waits only the first piece is kept: a part of it may be on its way already.
        """
        if self._closing:
            return
        self._blocked = self._closing = True
        frame = self._reader.close(code, reason)
        self._outbox = deque([self._outbox[0], frame] if self._outbox else [frame])
        self._nursery.cancel_scope.cancel()

    async def finish(self) -> None:
        """Send what is left, and wait for the other side to close, for a bounded time.

        A socket closed with unread bytes in it is reset, and the other side might never see why:
        so they are read until it closes (RFC 6455, section 7.1.1; RFC 9112, section 9.6).
        """
        self._blocked = self._closing = True
        if self._farewell:
            self._outbox = deque([*(self._outbox or ()), self._farewell])
        with trio.move_on_after(self._settings.close_timeout):
            try:
                await self._flush()
                if self._reader.ended:
                    self._socket.shutdown(stdlib.SHUT_WR)
                while data := await self._read():
                    if not self._reader.ended:
                        self._reader.feed(data)
                        if self._reader.ended:
                            self._socket.shutdown(stdlib.SHUT_WR)
            except (OSError, Disconnected):
                pass

    def _take(self, data: bytes) -> list[str | None]:
        self.silence = 0
        messages = self._reader.feed(data)
        replies = self._reader.replies()
        if self._reader.ended:
            self._farewell = replies  # after the answers to what came with it: it is the last frame
        elif replies:
            self.write(replies)
        return messages

    async def _read(self) -> bytes:
        """What came; raises `Disconnected` where nothing will any more."""
        while True:
            await wait_readable(self._socket)
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                continue
            except OSError:
                raise Disconnected from None
            if not data:
                raise Disconnected
            return data

    def _block(self, rest: bytes) -> None:
        """The kernel takes no more now: from here on, the outbox."""
        self._blocked = True
        self._outbox = deque()
        self._queue(rest)
        if not self._closing:
            self._empty = trio.Event()
            self._nursery.start_soon(self._drain, name="writer")

    def _queue(self, frames: bytes) -> None:
        if self._closing or self._outbox is None:
            return
        self._outbox.append(frames)
        self._waiting += len(frames)
        if self._waiting > self._settings.outbox_bytes:
            self.close(Close.SLOW, "it did not read what was sent to it")

    async def _drain(self) -> None:
        """The writer: ends with an empty outbox, or with the connection."""
        try:
            await self._flush()
            self._blocked = False
        except OSError:
            self._give_up()
        finally:
            if self._empty is not None:
                self._empty.set()
                self._empty = None

    async def _flush(self) -> None:
        while self._outbox:
            with trio.move_on_after(self._settings.stall_timeout) as patience:
                await wait_writable(self._socket)
            if patience.cancelled_caught:
                self.close(Close.SLOW, "it did not read what was sent to it")
                await trio.lowlevel.checkpoint()
            piece = self._outbox.popleft()
            sent = self._send(piece)
            self._waiting -= sent
            if sent < len(piece):
                self._outbox.appendleft(piece[sent:])

    def _give_up(self) -> None:
        """The connection is broken: nothing can be said any more."""
        self._blocked = self._closing = True
        self._outbox = None
        self._nursery.cancel_scope.cancel()
