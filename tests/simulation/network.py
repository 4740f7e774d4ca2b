"""Connections that are slow, cut at any byte, or swallow what is sent.

A connection has two pipes. What is sent arrives in pieces, in order, some time later; a cut loses
what is under way behind a random byte, and each side notices when it does: the server may see a
client's new connection long before it sees the end of the old one.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from math import inf
from random import Random

import trio

Watch = Callable[[bytes], None]


class Signal:
    """Wakes all who wait for it, or for one of its followers."""

    def __init__(self) -> None:
        self.followers: list[Signal] = []
        self._event = trio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = trio.Event()
        for follower in self.followers:
            follower.fire()

    async def wait_until(self, deadline: float) -> None:
        with trio.move_on_at(deadline):
            await self._event.wait()


class Pipe:
    """One direction. Its sender is told at once how much it takes, its reader waits."""

    def __init__(self, random: Random, delay: float, capacity: int) -> None:
        self._random = random
        self._delay = delay
        self._capacity = capacity
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._read = 0  # pieces that are read or lost
        self._last = -inf
        self._size = 0
        self._end: tuple[float, bool] | None = None  # when its reader sees it, and if it is a reset
        self.changed = Signal()
        self.held = False  # nothing gets out
        self.deaf = False  # nobody reads any more

    def send(self, data: bytes) -> int:
        """Take what there is room for, in bytes."""
        taken = data[: self._capacity - self._size]
        if self.deaf or self._end is not None:
            return len(data)
        cut = self._random.randint(0, len(taken)) if self._random.random() < 0.3 else 0
        for piece in (taken[:cut], taken[cut:]):
            if piece:
                now = trio.current_time()
                at = now + self._random.expovariate(1 / self._delay)
                self._last = max(self._last, at)
                self._pieces.append((self._last, piece))
                self._size += len(piece)
        self.changed.fire()
        return len(taken)

    def receive(self, most: int) -> bytes:
        """What has arrived; nothing at its end. Raises `OSError`."""
        if not self._is_readable():
            raise BlockingIOError
        if not self._has_arrived():
            if self._end is not None and self._end[1]:
                raise ConnectionResetError
            return b""
        parts: list[bytes] = []
        while self._has_arrived() and most > 0:
            at, piece = self._pieces.popleft()
            parts.append(piece[:most])
            if len(piece) > most:
                self._pieces.appendleft((at, piece[most:]))
            else:
                self._read += 1
            most -= len(parts[-1])
        data = b"".join(parts)
        self._size -= len(data)
        self.changed.fire()
        return data

    def arrivals(self) -> int:
        """How many pieces have arrived so far; the end, or a reset, is one more."""
        now = trio.current_time()
        here = 0 if self.held else sum(at <= now for at, _ in self._pieces)
        return self._read + here + self.has_ended()

    def has_ended(self) -> bool:
        """Whether the end has arrived, whatever is still to be read before it."""
        return not self.held and self._end is not None and self._end[0] <= trio.current_time()

    def next_arrival(self) -> float:
        """When the next arrives of what is under way."""
        now = trio.current_time()
        times = [] if self.held else [at for at, _ in self._pieces]
        if self._end is not None and not self.held:
            times.append(self._end[0])
        return min((at for at in times if at > now), default=inf)

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._is_readable():
            await self.changed.wait_until(self._next_at())

    async def wait_writable(self) -> None:
        await trio.lowlevel.checkpoint()
        while self._size >= self._capacity and self._end is None:
            await self.changed.wait_until(inf)

    def end(self, at: float, *, reset: bool, loses: bool) -> None:
        """Nothing more comes. `loses`: what is under way is cut at any byte."""
        if loses:
            self._lose()
        if self._end is None or reset:
            self._end = (max(at, trio.current_time()), reset)
        self.changed.fire()

    def hang_up(self) -> None:
        """Its reader wants no more of it."""
        self.deaf = True
        self.changed.fire()

    @property
    def is_reset(self) -> bool:
        """Whether its reader can know that the connection is broken."""
        return self._end is not None and self._end[1] and self._end[0] <= trio.current_time()

    def hold(self, held: bool) -> None:
        self.held = held
        self.changed.fire()

    def _lose(self) -> None:
        data = b"".join(piece for _, piece in self._pieces)
        kept = self._random.randint(0, len(data))
        at = self._pieces[0][0] if self._pieces else 0.0
        self._read += len(self._pieces) - bool(kept)
        self._pieces = deque([(at, data[:kept])] if kept else [])
        self._size = kept

    def _has_arrived(self) -> bool:
        pieces = self._pieces
        return bool(pieces) and not self.held and pieces[0][0] <= trio.current_time()

    def _is_readable(self) -> bool:
        if self._has_arrived() or self.deaf:
            return True
        over = not self._pieces and not self.held
        return over and self._end is not None and self._end[0] <= trio.current_time()

    def _next_at(self) -> float:
        if self.held:
            return inf
        if self._pieces:
            return self._pieces[0][0]
        return self._end[0] if self._end is not None else inf


class Link:
    """A connection of `client` to `room`. `watch` sees each byte that the server sends."""

    def __init__(self, number: int, client: str, peer: str, seed: str, watch: Watch) -> None:
        random = Random(f"{seed}/{number}")  # its own: no order of others changes it
        self.number = number
        self.client = client
        self.peer = peer
        self.random = random
        self.watch = watch
        self.is_cut = False
        self.served = True
        self.up = Pipe(random, random.choice((0.001, 0.02, 0.3)), 1 << 20)
        self.down = Pipe(random, random.choice((0.001, 0.02, 0.3)), random.choice((700, 8192)))

    def cut(self, notice: float) -> None:
        """Break it; each side notices within so many seconds."""
        if self.is_cut:
            return
        self.is_cut = True
        now = trio.current_time()
        for pipe in (self.up, self.down):
            pipe.end(now + self.random.random() * notice, reset=True, loses=True)

    def swallow(self) -> None:
        """From now on nothing arrives, and nobody is told."""
        self.is_cut = True
        self.up.hold(True)
        self.down.hold(True)

    def stall(self, stalled: bool) -> None:
        """The client does not read, or reads again."""
        if not self.is_cut:
            self.down.hold(stalled)

    def reset_by_kernel(self) -> None:
        """The server's process is gone; its kernel sends what it was given, and a reset."""
        self.served = False
        self.up.deaf = True
        self.down.end(trio.current_time() + self.random.random(), reset=True, loses=False)


class ServerSocket:
    """The server's end: a non-blocking `socket.socket` as far as `edgechat.net` uses it."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def __enter__(self) -> ServerSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        link = self.link
        if link.served:
            link.served = False
            link.up.deaf = True
            link.down.end(trio.current_time(), reset=False, loses=False)

    def fileno(self) -> int:
        return 50_000 + self.link.number  # beyond any real one

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def setsockopt(self, *_: int) -> None:
        pass

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_WR
        if self.link.served:
            self.link.down.end(trio.current_time(), reset=False, loses=False)

    def send(self, data: bytes) -> int:
        link = self.link
        if not link.served:
            return len(data)
        if link.up.is_reset:
            raise BrokenPipeError
        sent = link.down.send(data)
        if not sent and data:
            raise BlockingIOError
        link.watch(data[:sent])
        return sent

    def recv(self, most: int) -> bytes:
        return self.link.up.receive(most)

    async def wait_readable(self) -> None:
        await self.link.up.wait_readable()

    async def wait_writable(self) -> None:
        await self.link.down.wait_writable()
