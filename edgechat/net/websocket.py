"""A WebSocket on a plain non-blocking socket: one system call for each write, none that waits.

Everything that is sent goes through `WebSocket.write`, control frames too, so that it goes in
order. What the kernel does not take at once waits in an `outbox`, and a writer task drains it;
there are both only while something waits.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence

import trio
from outcome import Error, Outcome, Value

from edgechat import system
from edgechat.chat.errors import Close
from edgechat.net.frames import FrameReader
from edgechat.net.outbox import NotRead, Outbox
from edgechat.rooms.socket import Disconnected, Handler
from edgechat.settings import Settings

# Bytes in one go. A read that is full, or of one who is gone, may not be the last: nobody tells of
# what is there already. (Out-of-band data would end one short too; no WebSocket has that.)
_READ = 16 * 1024
_PING = b"\x89\x00"
_NOT_READ = "it did not read what was sent to it"


class WebSocket:
    """One connection after its handshake; a `rooms.socket.Socket` and a `heartbeat.Beating`.

    `nursery` runs its writer and whoever reads. `close` cancels it; after it, `finish` says
    good-bye. Who made the socket closes it.
    """

    __slots__ = (
        "_closing",
        "_direct",
        "_early",
        "_farewell",
        "_gone",
        "_handler",
        "_nursery",
        "_outbox",
        "_owner",
        "_readable",
        "_reader",
        "_settings",
        "_socket",
        "silence",
    )

    def __init__(
        self, connection: socket.socket, nursery: trio.Nursery, settings: Settings, early: bytes
    ) -> None:
        """`early` is what came right behind the handshake."""
        self.silence = 0
        self._socket = connection
        self._nursery = nursery
        self._settings = settings
        self._early = early
        self._reader = FrameReader(settings.max_frame_bytes)
        self._readable = False  # something came, and was not read yet
        self._gone = False  # the other side sends no more: behind the last data is the end
        self._owner: trio.lowlevel.Task | None = None  # while it waits in `receive`
        self._handler: Handler | None = None  # what it wants done meanwhile
        self._outbox: Outbox | None = None  # while something waits
        self._farewell = b""  # the last frame: a close, or the reply to the other side's
        # The socket, but None while nothing may be written past the outbox.
        self._direct: socket.socket | None = connection
        self._closing = False  # nothing more is written at all

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        """The next messages, at least one, but for what `handler` does."""
        messages: Sequence[str | None] = ()
        while not messages:
            if self._closing or self._reader.ended:
                raise Disconnected
            if self._early:
                early, self._early = self._early, b""
                messages = self._messages_in(early)
            elif self._readable:
                await trio.lowlevel.checkpoint()
                if self._gone:  # it still hears its last words, which the room has just been given
                    await trio.lowlevel.checkpoint()
                messages = self._read_messages()
            else:
                self._owner, self._handler = trio.lowlevel.current_task(), handler
                messages = await trio.lowlevel.wait_task_rescheduled(self._disown)
        return messages

    def fileno(self) -> int:
        """Of its socket."""
        return self._socket.fileno()

    def read(self, *, gone: bool) -> bytes | None:
        """Something came, or the other side is `gone`: read it, if the owner waits for it.

        For the poller, which follows with `hand_over`. Never waits, never raises.
        """
        if gone:
            self._gone = True
        if self._owner is None:
            self._readable = True  # for the owner, when it comes
            return None
        try:
            return self._socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def hand_over(self, data: bytes) -> None:
        """Do what the owner wants done with what `read` returned, or wake it.

        For the poller. Never waits, never raises: what goes wrong is the owner's.
        """
        try:
            if not data:
                raise Disconnected
            self._readable = self._gone or len(data) == _READ
            left: Sequence[str | None] = self._messages_in(data)
            if left and self._handler is not None:
                left = self._handler(left)
        except Exception as error:
            self._wake(Error(error))
        else:
            if left or self._readable or self._reader.ended:
                self._wake(Value(left))

    def write(self, frames: bytes) -> None:
        """Send whole frames, in order; see `rooms.socket.Socket`."""
        self.write_all((self,), frames)

    @staticmethod
    def write_all(sockets: Iterable[WebSocket], frames: bytes) -> None:
        """`write` to each of many; a `rooms.socket.WriteAll`.

        One loop that touches little: a method of each was up to a fifth of telling a big room.
        """
        size = len(frames)
        for websocket in sockets:
            direct = websocket._direct
            if direct is None:
                websocket._queue(frames)
                continue
            try:
                sent = direct.send(frames)
            except BlockingIOError:
                sent = 0
            except OSError:
                websocket._give_up()
                continue
            if sent < size:
                websocket._block(frames[sent:])

    async def drained(self) -> None:
        """Until the outbox is empty: bounded, as one who does not read is closed 4008."""
        if self._outbox is not None and not self._closing:
            await self._outbox.over.wait()
        if self._closing:
            raise Disconnected

    def ping(self) -> None:
        """Ask whether the other side lives."""
        self.write(_PING)

    def close(self, code: Close, reason: str = "") -> None:
        """End the tasks, and leave a close frame for `finish`. What waits is dropped."""
        if self._closing:
            return
        self._direct, self._closing = None, True
        self._farewell += self._reader.close(code, reason)
        if self._outbox is not None:
            self._outbox.cut()
        self._nursery.cancel_scope.cancel()

    async def finish(self) -> None:
        """Send what is left, and wait for the other side to close, for a bounded time.

        A socket closed with unread bytes in it is reset, and the other side might never see why:
        so they are read until it closes (RFC 6455, section 7.1.1; RFC 9112, section 9.6).
        """
        self._direct, self._closing = None, True
        outbox = self._outbox or Outbox(self._socket, self._settings)
        if self._farewell:
            outbox.put(self._farewell)
        with trio.move_on_after(self._settings.close_timeout):
            try:
                await outbox.drain()
                if self._reader.ended:
                    self._socket.shutdown(socket.SHUT_WR)
                while data := await self._wait_for_data():
                    if not self._reader.ended:
                        self._reader.feed(data)
                        if self._reader.ended:
                            self._socket.shutdown(socket.SHUT_WR)
            except (OSError, Disconnected, NotRead):
                pass

    def _messages_in(self, data: bytes) -> list[str | None]:
        self.silence = 0
        reader = self._reader
        messages = reader.feed(data)
        if reader.replies:
            replies = reader.take_replies()
            if reader.ended:
                self._farewell += replies  # after the answers to what came with it
            else:
                self.write(replies)
        return messages

    def _read_messages(self) -> list[str | None]:
        """For the owner: the messages in what came while it was busy. Raises `Disconnected`."""
        self._readable = False
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return []
        except OSError:
            raise Disconnected from None
        if not data:
            raise Disconnected
        self._readable = self._gone or len(data) == _READ
        return self._messages_in(data)

    def _wake(self, outcome: Outcome[Sequence[str | None]]) -> None:
        owner = self._owner
        self._owner = self._handler = None  # it knows this socket: a cycle, if it were kept
        if owner is not None:  # else it was cancelled meanwhile
            trio.lowlevel.reschedule(owner, outcome)

    def _disown(self, _: object) -> trio.lowlevel.Abort:
        """The owner was cancelled: nothing is done for it any more."""
        self._owner = self._handler = None
        return trio.lowlevel.Abort.SUCCEEDED

    async def _wait_for_data(self) -> bytes:
        """What came; raises `Disconnected` where nothing will any more."""
        while True:
            await system.wait_readable(self._socket)
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
        self._direct = None
        self._outbox = Outbox(self._socket, self._settings)
        self._queue(rest)
        if not self._closing:
            self._nursery.start_soon(self._drain, self._outbox, name="writer")

    def _queue(self, frames: bytes) -> None:
        if self._closing or self._outbox is None:
            return
        self._outbox.put(frames)
        if self._outbox.too_full:
            self.close(Close.SLOW, _NOT_READ)

    async def _drain(self, outbox: Outbox) -> None:
        """The writer: ends with an empty outbox, or with the connection."""
        try:
            await outbox.drain()
            if not self._closing:
                self._direct, self._outbox = self._socket, None
        except NotRead:
            self.close(Close.SLOW, _NOT_READ)
        except OSError:
            self._give_up()
        finally:
            outbox.over.set()

    def _give_up(self) -> None:
        """The connection is broken: nothing can be said any more."""
        self._direct, self._closing = None, True
        self._outbox = None
        self._nursery.cancel_scope.cancel()
