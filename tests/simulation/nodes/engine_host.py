"""The machine of the engine: connections lead to it, and much may happen to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random

import hiredis
import trio

from .engine import Client, Engine, State
from .link import Connection, Path

_EPOCH = 1_763_880_000_000_000  # Unix time in µs, as the world begins


class _Side:
    """The engine's end of one connection."""

    def __init__(self, host: EngineHost, engine: Engine, connection: Connection) -> None:
        self.connection = connection
        self.client: Client = engine.connect()
        self.engine = engine
        self._host = host
        self._reader = hiredis.Reader()
        self.waiting: deque[Sequence[bytes]] = deque()
        self.has_ended = False

    def take(self, data: bytes) -> None:
        self._reader.feed(data)
        while words := self._reader.gets():
            self.waiting.append(words)
        if not self._host.is_stalled:
            self._host.work([self])

    def end(self) -> None:
        self.has_ended = True
        if not self._host.is_stalled:
            self._host.drop(self)


class EngineHost:
    """What nodes reach when they connect to the engine."""

    def __init__(self, random: Random, note: Callable[[str], None]) -> None:
        self.is_up = True
        self.is_stalled = False
        self.restarts = 0
        self._random = random
        self._note = note
        self._sides: dict[_Side, None] = {}
        self._losing: dict[Path, float] = {}  # a share of the pushes to those nodes
        self.engine = self._start(State())

    def _start(self, state: State) -> Engine:
        engine = Engine(f"run-{self.restarts}", self._now, state)
        engine.loses = self._loses
        return engine

    def _now(self) -> int:
        return _EPOCH + int(trio.current_time() * 1_000_000)

    def connect(self, path: Path) -> Connection:
        """Raises `OSError` where nobody listens."""
        if not self.is_up:
            raise ConnectionRefusedError(111, "Connection refused")
        connection = Connection(path)
        connection.side = side = _Side(self, self.engine, connection)
        self._sides[side] = None
        return connection

    def drop(self, side: _Side) -> None:
        self._sides.pop(side, None)
        side.engine.disconnect(side.client)

    def work(self, sides: Sequence[_Side]) -> None:
        """Do all that these ask, in some order that keeps each one's."""
        asking = [side for side in sides if side.waiting]
        while asking:
            side = asking[0] if len(asking) == 1 else self._random.choice(asking)
            side.engine.do(side.client, side.waiting.popleft())
            if not side.waiting:
                asking.remove(side)
        for side in self._sides:
            if side.client.out:
                side.connection.answer(b"".join(side.client.out))
                side.client.out.clear()

    # What happens to it.

    def stall(self) -> None:
        """It stands still; what comes meanwhile waits."""
        self.is_stalled = True

    def go_on(self) -> None:
        """It does what came meanwhile, also from those who have left, in any order."""
        self.is_stalled = False
        sides = list(self._sides)
        self._random.shuffle(sides)
        self.work(sides)
        for side in sides:
            if side.has_ended:
                self.drop(side)

    def lose_pushes(self, path: Path, share: float) -> None:
        self._losing[path] = share

    def _loses(self, client: Client) -> bool:
        if not self._losing:
            return False
        side = next(side for side in self._sides if side.client is client)
        return self._random.random() < self._losing.get(side.connection.path, 0.0)

    def kill(self) -> None:
        """All connections end, whatever is on its way."""
        self.is_up = self.is_stalled = False
        for side in list(self._sides):
            self.drop(side)
            side.waiting.clear()
            side.connection.cut(arrives=False)

    def start(self, state: State) -> None:
        """Another process, which knows this."""
        self.restarts += 1
        self.engine = self._start(state)
        self.is_up = True

    def depart(self, state: State, staying: Sequence[Path]) -> None:
        """Another process takes its place; these nodes talk to the old one until they are cut."""
        for side in list(self._sides):
            if side.connection.path not in staying:
                self.drop(side)
                side.connection.cut(arrives=self._random.random() < 0.5)
        self.start(state)

    def end_old(self) -> None:
        """The old process is gone."""
        for side in list(self._sides):
            if side.engine is not self.engine:
                self.drop(side)
                side.connection.cut(arrives=False)

    def heal(self) -> None:
        self._losing.clear()
        self.engine.is_full = False
        self.end_old()
        if self.is_stalled:
            self.go_on()
