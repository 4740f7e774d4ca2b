"""Reads from every WebSocket that has something, in one task: a turn of its loop at a time.

A task that waits for its own socket costs a call to `epoll_ctl` and two switches of tasks each time
something comes. Here a socket is registered once, and what comes is dealt with on the spot, for the
task that waits for it (`Handler`); only what has to wait wakes that task. What was said
in all rooms in one turn is stored and told at its end (`rooms.turn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import trio
from outcome import Error

from edgechat import system
from edgechat.net.receiver import Receiver
from edgechat.net.websocket import WebSocket
from edgechat.rooms.defects import note_defect

_EVENTS = system.EPOLLIN | system.EPOLLRDHUP | system.EPOLLET  # edge-triggered: see `receiver`
_HUNG_UP = system.EPOLLRDHUP | system.EPOLLHUP | system.EPOLLERR
_AT_ONCE = 128  # sockets in a turn, so that nobody waits long for its end; from 32 on, as fast
_DEAR_AT_ONCE = 128  # frames in a turn that take some 10 µs each; what was read waits for the next


@dataclass(frozen=True, slots=True)
class PollerStatistics:
    """What a poller has done, and for how many."""

    turns: int
    watched: int


class Poller:
    """The one reader of all WebSockets that are being watched."""

    def __init__(self, finish_turn: Callable[[], None]) -> None:
        """`finish_turn` is called when all has been read, and must not wait.

        What it raises ends `run`, and so the server: nothing would be read any more.
        """
        self._finish_turn = finish_turn
        self._epoll = system.epoll()
        self._receivers: dict[int, Receiver] = {}
        self._late: Sequence[tuple[Receiver, bytes]] = ()  # read in the last turn, and not yet done
        self._turns = 0

    @contextmanager
    def watch(self, websocket: WebSocket) -> Iterator[None]:
        """Tell `websocket` whenever something came."""
        receiver = websocket.receiver
        fd = receiver.fileno()
        self._epoll.register(receiver, _EVENTS)
        self._receivers[fd] = receiver
        try:
            yield
        finally:
            self._epoll.unregister(receiver)
            del self._receivers[fd]

    async def run(self) -> NoReturn:
        """Read, for ever."""
        while True:
            if self._late:
                await trio.lowlevel.checkpoint()
            else:
                await system.wait_readable(self._epoll)
            self._take_turn()

    def close(self) -> None:
        """Nobody is watched any more."""
        self._epoll.close()

    def statistics(self) -> PollerStatistics:
        """As of now."""
        return PollerStatistics(self._turns, len(self._receivers))

    def _take_turn(self) -> None:
        """First all is read, then all is done: `rooms.turn` says why.

        A defect in reading from one connection is that connection's.
        """
        self._turns += 1
        came, self._late = self._late or self._read_all(), ()
        dear = 0
        for at, (receiver, data) in enumerate(came):
            if dear >= _DEAR_AT_ONCE:
                self._late = came[at:]
                break
            try:
                dear += receiver.hand_over(data)
            except Exception as defect:
                _blame(receiver, defect)
        self._finish_turn()

    def _read_all(self) -> list[tuple[Receiver, bytes]]:
        receivers, came = self._receivers, []
        for fd, event in self._epoll.poll(0, _AT_ONCE):
            receiver = receivers[fd]
            try:
                data = receiver.read(hung_up=event & _HUNG_UP > 0)
            except Exception as defect:
                _blame(receiver, defect)
            else:
                if data is not None:
                    came.append((receiver, data))
        return came


def _blame(receiver: Receiver, defect: Exception) -> None:
    """What went wrong is raised where the connection's owner waits; else it is noted here."""
    if not receiver.wake(Error(defect)):
        note_defect("reading from a connection", defect)
