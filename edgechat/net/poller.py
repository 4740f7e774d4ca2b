"""Reads from every WebSocket that has something, in one task: a turn of its loop at a time.

A task that waits for its own socket costs a call to `epoll_ctl` and two switches of tasks each time
something comes. Here a socket is registered once, and what comes is dealt with on the spot, for the
task that waits for it (`Handler`); only what has to wait wakes that task. What was said
in all rooms in one turn is stored and told at its end (`rooms.turn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from edgechat import system
from edgechat.net.websocket import WebSocket

# Edge-triggered: an event says once that something came. `WebSocket` remembers it.
_EVENTS = system.EPOLLIN | system.EPOLLRDHUP | system.EPOLLET
_GONE = system.EPOLLRDHUP | system.EPOLLHUP | system.EPOLLERR
_AT_ONCE = 128  # sockets in a turn, so that nobody waits long for its end; from 32 on, as fast


class Poller:
    """The one reader of all WebSockets that are being watched."""

    def __init__(self, finish_turn: Callable[[], None]) -> None:
        """`finish_turn` is called when all has been read; it never waits and never raises."""
        self._finish_turn = finish_turn
        self._epoll = system.epoll()
        self._websockets: dict[int, WebSocket] = {}

    @contextmanager
    def watch(self, websocket: WebSocket) -> Iterator[None]:
        """Tell `websocket` whenever something came."""
        fd = websocket.fileno()
        self._epoll.register(websocket, _EVENTS)
        self._websockets[fd] = websocket
        try:
            yield
        finally:
            self._epoll.unregister(websocket)
            del self._websockets[fd]

    async def run(self) -> NoReturn:
        """Read, for ever."""
        while True:
            await system.wait_readable(self._epoll)
            self._take_turn()

    def close(self) -> None:
        """Nobody is watched any more."""
        self._epoll.close()

    def _take_turn(self) -> None:
        """First all is read, then all is done: `rooms.turn` says why."""
        websockets, came = self._websockets, []
        for fd, event in self._epoll.poll(0, _AT_ONCE):
            websocket = websockets[fd]
            data = websocket.read(gone=event & _GONE > 0)
            if data is not None:
                came.append((websocket, data))
        for websocket, data in came:
            websocket.hand_over(data)
        self._finish_turn()
