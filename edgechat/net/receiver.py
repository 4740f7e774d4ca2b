"""The half of a WebSocket that receives.

Edge-triggered means here: the poller is told once that something came, and not again for what was
left in the kernel. So whatever a read may have left is remembered in `_unread`, and whoever waits
for messages reads that first.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import trio
from outcome import Error, Outcome, Value

from edgechat import system
from edgechat.net.frames import FrameReader
from edgechat.net.sender import Phase, Sender
from edgechat.rooms.socket import Disconnected, Handler

# Bytes in one go. A read that is full, or of a client that hung up, may not be the last.
# (Out-of-band data would end one short too; no WebSocket has that.)
_READ = 16 * 1024


class Receiver:
    """Reads from one connection, for the task that waits in `receive`: its owner."""

    __slots__ = (
        "_early",
        "_handler",
        "_hung_up",
        "_owner",
        "_sender",
        "_socket",
        "_unread",
        "reader",
        "silence",
    )

    def __init__(
        self, connection: socket.socket, sender: Sender, max_bytes: int, early: bytes
    ) -> None:
        """`early` is what came right behind the handshake."""
        self.silence = 0  # ticks of the heartbeat since something came
        self.reader = FrameReader(max_bytes)
        self._socket = connection
        self._sender = sender
        self._early = early
        self._unread = False  # something came, and was not read yet
        self._hung_up = False  # the other side sends no more: behind the last data is the end
        self._owner: trio.lowlevel.Task | None = None  # while it waits
        self._handler: Handler | None = None  # what it wants done meanwhile

    def fileno(self) -> int:
        """Of its socket."""
        return self._socket.fileno()

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        """The next messages, at least one, but for what `handler` processes."""
        messages: Sequence[str | None] = ()
        while not messages:
            if self._sender.phase is not Phase.OPEN or self.reader.ended:
                raise Disconnected
            if self._early:
                early, self._early = self._early, b""
                messages = self._messages_in(early)
            elif self._unread:
                await trio.lowlevel.checkpoint()
                if self._hung_up:  # it still hears its last words, which the room has just got
                    await trio.lowlevel.checkpoint()
                messages = self._read_messages()
            else:
                self._owner, self._handler = trio.lowlevel.current_task(), handler
                messages = await trio.lowlevel.wait_task_rescheduled(self._disown)
        return messages

    def read(self, *, hung_up: bool) -> bytes | None:
        """Something came, or the other side `hung_up`: read it, if the owner waits for it.

        For the poller, which follows with `hand_over`. Never waits.
        """
        if hung_up:
            self._hung_up = True
        if self._owner is None:
            self._unread = True  # for the owner, when it comes
            return None
        try:
            return self._socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def hand_over(self, data: bytes) -> None:
        """Give what `read` returned to the owner's handler, and wake the owner for the rest.

        For the poller. Never waits; what the handler raises is the owner's.
        """
        try:
            if not data:
                raise Disconnected
            self._unread = self._hung_up or len(data) == _READ
            left: Sequence[str | None] = self._messages_in(data)
            if left and self._handler is not None:
                left = self._handler(left)
        except Exception as error:
            self.wake(Error(error))
        else:
            if left or self._unread or self.reader.ended:
                self.wake(Value(left))

    def wake(self, outcome: Outcome[Sequence[str | None]]) -> bool:
        """Let the owner go on; False if there is none, as it was cancelled meanwhile."""
        owner = self._owner
        self._owner = self._handler = None  # it knows this socket: a cycle, if it were kept
        if owner is None:
            return False
        trio.lowlevel.reschedule(owner, outcome)
        return True

    async def wait_closed(self) -> None:
        """Until the other side closes. Before its close frame came, this looks for nothing else.

        When it came, nothing is sent any more. Raises `OSError`; the caller bounds it.
        """
        while not self.reader.ended:
            data = await self._wait_for_data()
            if not data:
                return
            self.reader.feed(data)
        self._socket.shutdown(socket.SHUT_WR)
        while await self._wait_for_data():
            pass

    def _messages_in(self, data: bytes) -> list[str | None]:
        self.silence = 0
        reader = self.reader
        messages = reader.feed(data)
        if reader.replies:
            replies = reader.take_replies()
            if reader.ended:
                self._sender.add_farewell(replies)  # after the answers to what came with it
            else:
                self._sender.write(replies)
        return messages

    def _read_messages(self) -> list[str | None]:
        """For the owner: the messages in what came while it was busy. Raises `Disconnected`."""
        self._unread = False
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return []
        except OSError:
            raise Disconnected from None
        if not data:
            raise Disconnected
        self._unread = self._hung_up or len(data) == _READ
        return self._messages_in(data)

    def _disown(self, _: object) -> trio.lowlevel.Abort:
        """The owner was cancelled: nothing is done for it any more."""
        self._owner = self._handler = None
        return trio.lowlevel.Abort.SUCCEEDED

    async def _wait_for_data(self) -> bytes:
        """What came; nothing at the end."""
        while True:
            await system.wait_readable(self._socket)
            try:
                return self._socket.recv(_READ)
            except BlockingIOError:
                continue
