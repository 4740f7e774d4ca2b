"""What lies between nodes and the engine: connections of bytes that are late, cut, or lead nowhere.

Each connection keeps its order; between two of them there is none, as each piece of bytes is late
by a time of its own. What is sent on a connection that leads nowhere never arrives, and nobody is
told: only a PING that is not answered finds that out.
"""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Callable
from itertools import count
from math import inf
from random import Random
from typing import NoReturn, Protocol

import trio

_BUFFER = 200_000  # bytes that are on their way, then a sender has to wait


class Post:
    """Brings each thing at its time; of things at one time, in the order in which they were sent.

    One task for all connections: it costs less than one for each.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._sooner = trio.Event()
        self._wakes_at = inf

    def at(self, time: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (time, next(self._number), do))
        if time < self._wakes_at:
            self._sooner.set()

    async def run(self) -> NoReturn:
        while True:
            now = trio.current_time()
            while self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
            self._sooner = trio.Event()
            self._wakes_at = self._heap[0][0] if self._heap else inf
            with trio.move_on_at(self._wakes_at):
                await self._sooner.wait()
            self._wakes_at = -inf


class Path:
    """The way between one node and the engine: what holds for all its connections."""

    def __init__(self, random: Random, post: Post) -> None:
        self.random = random
        self.post = post
        self.latency = random.choice((0.0002, 0.0002, 0.002, 0.02))  # seconds, on average
        self.held_until = 0.0  # nothing arrives before
        self.leads_nowhere = False
        self.connections: list[Connection] = []

    @property
    def is_well(self) -> bool:
        return not self.leads_nowhere and self.held_until <= trio.current_time()

    @property
    def is_quick(self) -> bool:
        return self.is_well and self.latency < 0.01

    def delay(self) -> float:
        return self.latency * (0.5 + self.random.expovariate(2.0))

    def swallow(self) -> None:
        """From now on nothing arrives, and nobody is told."""
        self.leads_nowhere = True
        for connection in self.connections:
            connection.leads_nowhere = True

    def heal(self) -> None:
        """New connections work again. The old ones lead nowhere until somebody gives them up."""
        self.leads_nowhere = False
        self.held_until = 0.0

    def cut(self) -> None:
        """All connections end: both sides are told, and what is on its way arrives, or not."""
        for connection in list(self.connections):
            connection.cut(arrives=self.random.random() < 0.5)

    def forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)


class Side(Protocol):
    """The engine's end of a connection."""

    def take(self, data: bytes) -> None:
        """Bytes came."""

    def end(self) -> None:
        """Nothing more will come."""


class Connection:
    """One connection: to the node it is a socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.side: Side
        self.leads_nowhere = path.leads_nowhere
        self._up_at = self._down_at = 0.0  # when what was sent last arrives
        self._on_its_way = 0
        self._arrived = bytearray()
        self._is_over = False  # nothing more comes to the node
        self._is_reset = False
        self._is_closed = False  # by the node
        self._is_cut = False
        self._changed = trio.Event()
        path.connections.append(self)

    # For the node: a socket, as far as `edgechat.nodes.engine_socket` uses one.

    def send(self, data: bytes | bytearray) -> int:
        if self._is_reset or self._is_closed:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        room = _BUFFER - self._on_its_way
        if room <= 0:
            raise BlockingIOError
        taken = bytes(data[:room])
        self._on_its_way += len(taken)
        random = self.path.random
        if len(taken) > 1 and random.random() < 0.05:
            at = random.randrange(1, len(taken))
            self._send_up(taken[:at])
            self._send_up(taken[at:])
        else:
            self._send_up(taken)
        return len(taken)

    def recv(self, size: int) -> bytes:
        if self._arrived:
            data = bytes(self._arrived[:size])
            del self._arrived[:size]
            return data
        if self._is_reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        if self._is_over:
            return b""
        raise BlockingIOError

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.path.forget(self)
            self._fire()
            self._bring_up(self.side.end)

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not (self._arrived or self._is_over or self._is_reset or self._is_closed):
            await self._changed.wait()

    async def wait_writable(self) -> None:
        await trio.lowlevel.checkpoint()
        while self._on_its_way >= _BUFFER and not (self._is_reset or self._is_closed):
            await self._changed.wait()

    # For the engine.

    def answer(self, data: bytes) -> None:
        """Send bytes to the node."""
        if not self._is_closed and not self._is_reset:
            self._down_at = self._time(self._down_at)
            self.path.post.at(self._down_at, lambda: self._take(data))

    # What happens to it.

    def cut(self, *, arrives: bool) -> None:
        """Both sides are told. `arrives`: what the node has sent still does."""
        if self._is_reset:
            return
        self._is_reset = self._is_over = True
        self.path.forget(self)
        self._fire()
        if arrives:
            self._bring_up(self.side.end)
        else:
            self._is_cut = True
            self.side.end()

    def _send_up(self, data: bytes) -> None:
        self._bring_up(lambda: self._take_up(data))

    def _bring_up(self, do: Callable[[], None]) -> None:
        if not self.leads_nowhere:
            self._up_at = self._time(self._up_at)
            self.path.post.at(self._up_at, lambda: None if self._is_cut else do())

    def _time(self, before: float) -> float:
        soon = max(trio.current_time(), self.path.held_until) + self.path.delay()
        return max(before, soon)

    def _take_up(self, data: bytes) -> None:
        if self.leads_nowhere:
            return
        self._on_its_way -= len(data)
        self._fire()
        self.side.take(data)

    def _take(self, data: bytes) -> None:
        if not self._is_reset and not self.leads_nowhere:
            self._arrived += data
            self._fire()

    def _fire(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
