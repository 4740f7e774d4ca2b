"""The half of a WebSocket that receives.

Edge-triggered means here: the poller is told once that something came, and not again for what was
left in the kernel. So whatever a read may have left, there or in the reader, is remembered in
`_unread`, and whoever waits for messages reads that first.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import trio
from outcome import Error, Outcome, Value

from edgechat.net.budget import Budget
from edgechat.net.frames import FrameReader
from edgechat.net.sender import Phase, Sender
from edgechat.rooms.socket import Disconnected, Handler

# Bytes in one go. A read that is full, or of a client that hung up, may not be the last.
# (Out-of-band data would end one short too; no WebSocket has that.)
_READ = 16 * 1024


class Receiver:
    """Reads from one connection, for the task that waits in `receive`: its owner."""

    __slots__ = (
        "_budget",
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
        self, connection: socket.socket, sender: Sender, budget: Budget, max_bytes: int
    ) -> None:
        self.silence = 0  # ticks of the heartbeat since something came
        self.reader = FrameReader(max_bytes)
        self._socket = connection
        self._sender = sender
        self._budget = budget
        self._unread = False  # not all that came was read
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
            if self._budget.spent:
                await self._budget.pause()
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

    def hand_over(self, data: bytes) -> int:
        """Give what `read` returned to the owner's handler, and wake the owner for the rest.

        For the poller. Never waits; what the handler raises is the owner's. Returns how many
        frames there were that are dear to read.
        """
        unusual = 0
        if self._owner is None:  # it was cancelled since that was read
            self._unread = True
            self.keep(data)
            return 0
        try:
            if not data:
                raise Disconnected
            self._unread = self._hung_up or len(data) == _READ
            left: Sequence[str | None] = self._messages_in(data)
            if self.reader.unusual:
                unusual = self._pay()
            if left and self._handler is not None:
                left = self._handler(left)
        except Exception as error:
            self.wake(Error(error))
        else:
            if left or self._unread or self._budget.spent or self.reader.ended:
                self.wake(Value(left))
        return unusual

    def keep(self, data: bytes) -> None:
        """Came already, and is to be read first: right behind the handshake, say."""
        if data:
            self.reader.keep(data)
            self._unread = True

    def wake(self, outcome: Outcome[Sequence[str | None]]) -> bool:
        """Let the owner go on; False if there is none, as it was cancelled meanwhile."""
        owner = self._owner
        self._owner = self._handler = None  # it knows this socket: a cycle, if it were kept
        if owner is None:
            return False
        trio.lowlevel.reschedule(owner, outcome)
        return True

    def _messages_in(self, data: bytes) -> list[str | None]:
        self.silence = 0
        reader = self.reader
        messages = reader.feed(data)
        if reader.more:
            self._unread = True
        if reader.unusual and reader.replies:
            replies = reader.take_replies()
            if reader.ended:
                self._sender.add_farewell(replies)  # after the answers to what came with it
            else:
                self._sender.write(replies)
        return messages

    def _read_messages(self) -> list[str | None]:
        """For the owner: the messages in what came while it was busy. Raises `Disconnected`."""
        data = b"" if self.reader.more else self._recv()
        if data is None:
            self._unread = False
            return []
        if not self.reader.more:
            if not data:
                raise Disconnected
            self._unread = self._hung_up or len(data) == _READ
        messages = self._messages_in(data)
        self._pay()
        return messages

    def _pay(self) -> int:
        """For the frames that were dear to read; returns how many those were."""
        if unusual := self.reader.unusual:
            self.reader.unusual = 0
            self._budget.charge(unusual)
        return unusual

    def _disown(self, _: object) -> trio.lowlevel.Abort:
        """The owner was cancelled: nothing is done for it any more."""
        self._owner = self._handler = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _recv(self) -> bytes | None:
        """What is there; nothing at the end, and None where there is nothing yet."""
        try:
            return self._socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""
