"""A worker as the front knows it: a process, the channel to it, and what it has."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from http import HTTPStatus
from typing import assert_never

import trio

from edgechat.net.caller import Caller
from edgechat.net.refused import Refused, refuse
from edgechat.net.request_head import Head
from edgechat.workers.channel import BadMessage, Channel, ChannelClosed
from edgechat.workers.held import Held, Leave
from edgechat.workers.messages import (
    MOST_BYTES,
    NOBODY,
    Begin,
    Failed,
    Figures,
    Granted,
    Handed,
    Left,
    Ready,
    Released,
    Spent,
    Stop,
    ToFront,
    ToWorker,
    Yours,
)
from edgechat.workers.program import start, words_of
from edgechat.workers.unread import take_back

_SILENCE = 15.0  # seconds without a word, then it is ended: it has one to say every second
_START = 30.0  # seconds in which it has to be ready
_AT_ONCE = 64  # messages of a worker, then the others have their turn
_FULL = 1.0  # seconds that a request waits for room in the channel
_BUSY = refuse(
    "worker busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The server can't keep up: come back later.",
    headers={"Retry-After": "1"},
)


class WorkerProcess:
    """One process, from its start to its end."""

    def __init__(
        self,
        begin: Begin,
        lock: int,
        leave: Leave,
        spent: Callable[[WorkerProcess, Spent], None],
        keep: Callable[[WorkerProcess], None],
    ) -> None:
        """`lock` is the descriptor of the data folder's lock. `leave` is told of each connection
        that has ended, `spent` of what addresses spend, and `keep` of the process's end.
        """
        self.number = begin.number
        self.pid = 0
        self.held = Held(leave)
        self.figures: Figures | None = None  # its last
        self.is_ready = False
        self.why = ""  # it is not ready, or has ended
        self.unread: Sequence[tuple[Caller, Head]] = ()  # what it was handed and did not read
        self.settled = trio.Event()  # it is ready, or will never be
        self.released = trio.Event()  # its rooms are closed: another process may have them
        self.has_released = False  # it has said so: its rooms' files have all that was said there
        self.ended = trio.Event()
        self._begin = begin
        self._lock = lock
        self._spent = spent
        self._keep = keep
        self.is_stopping = False
        self._process: trio.Process | None = None

    async def run(self) -> None:
        """From its start to its end; it is killed where this is cancelled. Raises nothing.

        Its end of the channel stays open here, so that what it did not read is not gone with it:
        whoever awaits this serves what is in `unread` then, and closes it.
        """
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with (
                closing(Channel(ours, ToFront, MOST_BYTES)) as self._channel,
                closing(Channel(theirs, ToWorker, MOST_BYTES)) as its_end,
            ):
                self._process = await start(theirs.fileno(), self._lock)
                self.pid = self._process.pid
                await self._live(self._process)
                self.unread = take_back(its_end, self.held)
        except OSError as error:
            self.why = error.strerror or str(error)
        finally:
            self.held.end_all()
            self._keep(self)
            for event in (self.settled, self.released, self.ended):
                event.set()

    async def hand_over(self, caller: Caller, head: Head) -> bool:
        """Pass on a connection; False if this worker takes none any more. Raises `Refused`."""
        link, counted = caller.connection, caller.counted or NOBODY
        handed = Handed(link.family, caller.peer, counted, head.text, head.rest, caller.for_page)
        try:
            is_sent = self._channel.offer(handed, link.fileno())
            if not is_sent:
                with trio.move_on_after(_FULL):
                    await self._channel.send(handed, link.fileno())
                    is_sent = True
        except ChannelClosed:
            return False
        if not is_sent:
            raise Refused(_BUSY)
        self.held.add(caller.counted, page=caller.for_page)
        return True

    def tell(self, message: Granted | Yours) -> None:
        """Say what addresses have spent, or that it has its rooms; not where there is no room."""
        with suppress(ChannelClosed):
            self._channel.offer(message)

    async def stop(self) -> None:
        """Let it end in order: nothing is handed over to it any more."""
        self.is_stopping = True
        if self._process is not None:
            with suppress(ChannelClosed):
                await self._channel.finish(Stop())

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()

    async def _live(self, process: trio.Process) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen)
                await process.wait()
                nursery.cancel_scope.cancel()
            with suppress(BadMessage):
                while self._hear_some():
                    ...  # its last words
        finally:
            process.kill()  # nothing, where it has ended
            with trio.CancelScope(shield=True):
                status = await process.wait()
            self.why = self.why or words_of(status)

    async def _listen(self) -> None:
        """Take in what it says. It is ended where it says nothing, or what makes no sense."""
        await self._channel.send(self._begin)
        while True:
            patience = _SILENCE if self.is_ready else _START
            with trio.move_on_after(patience) as waiting:
                await self._channel.wait()
            if waiting.cancelled_caught:
                self.why = f"it said nothing for {patience:.0f} s"
                break
            try:
                self._hear_some()
            except BadMessage as error:
                self.why = f"it said what makes no sense: {error}"
                break
        self.kill()

    def _hear_some(self) -> bool:
        """Of the messages that are there; whether there may be more. Raises `BadMessage`."""
        for _ in range(_AT_ONCE):
            if (found := self._channel.receive_nowait()) is None:
                return False
            self._hear(found[0])
        return True

    def _hear(self, message: ToFront) -> None:
        match message:
            case Left(counts, page):
                self.held.end(counts, page)
            case Spent():
                self._spent(self, message)
            case Figures():
                self.figures = message
            case Ready():
                self.is_ready = True
                self.settled.set()
            case Released():
                if self.is_stopping:
                    self.has_released = True
                    self.released.set()
            case Failed(reason):
                self.why = reason
            case _:
                assert_never(message)
