"""One live task per key: started at first use, gone when idle, and no race between the two."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import trio

from edgechat.rooms.defects import contain

# How many are looked at, the oldest first, for one that is idle: a full table must not make each
# arrival slow. Whoever is found busy goes to the end, so the next look begins behind them.
_LOOK_AT = 1_000


class Full(Exception):
    """There is no place for one more: none that is idle, or none for this key."""


class Live(Protocol):
    """Something that a task keeps alive."""

    async def run(self) -> None:
        """Live. The step that decides to return must not wait any more: then nobody is lost."""

    def is_idle(self) -> bool:
        """Whether nobody would miss it."""

    def stop(self) -> None:
        """End soon: another takes its place."""


@dataclass(frozen=True, slots=True)
class RegistryStatistics:
    """Sums since the start, but for `live`."""

    live: int
    started: int
    let_go: int  # idle ones that made room for another
    refused: int  # because there were too many


Key = TypeVar("Key", bound=Hashable)
Living = TypeVar("Living", bound=Live)


class Registry(Generic[Key, Living]):
    """Starts what lives in the server's nursery: this is the only place that is handed one."""

    def __init__(
        self,
        nursery: trio.Nursery,
        make: Callable[[Key], Living],
        most: int,
        kind: str,
        has: Callable[[Key], bool] | None = None,
    ) -> None:
        """`has` says which keys have their place here; all, without it."""
        self._has = has
        self._empty = trio.Event()  # set when it is shut, and the last is gone
        self._is_shut = False
        self._nursery = nursery
        self._make = make
        self.most = most  # may be changed: more than that stay until they end
        self._kind = kind
        self._live: OrderedDict[Key, Living] = OrderedDict()
        self._started = self._let_go = self._refused = 0

    def statistics(self) -> RegistryStatistics:
        """How many there are and were."""
        return RegistryStatistics(len(self._live), self._started, self._let_go, self._refused)

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Living]:
        return iter(list(self._live.values()))

    def get(self, key: Key) -> Living:
        """The live one for `key`; starts it if there is none. Raises `Full`."""
        living = self._live.get(key)
        if living is None:
            if self._is_shut or (self._has is not None and not self._has(key)):
                self._refused += 1
                raise Full(f"no place for this {self._kind}")
            if len(self._live) >= self.most:
                self._let_one_go()
            living = self._live[key] = self._make(key)
            self._started += 1
            self._nursery.start_soon(self._keep, key, living, name=f"{self._kind}")
        return living

    async def shut(self) -> None:
        """Start no more; returns when all that live have ended."""
        self._is_shut = True
        if self._live:
            await self._empty.wait()

    def find(self, key: Key) -> Living | None:
        """The live one for `key`, if there is one."""
        return self._live.get(key)

    def _let_one_go(self) -> None:
        for _ in range(min(_LOOK_AT, len(self._live))):
            key, living = next(iter(self._live.items()))
            if living.is_idle():
                del self._live[key]
                self._let_go += 1
                living.stop()
                return
            self._live.move_to_end(key)
        self._refused += 1
        raise Full(f"no room for one more {self._kind}")

    async def _keep(self, key: Key, living: Living) -> None:
        """Run one; what goes wrong in it ends it alone, and the next use starts a fresh one."""
        try:
            with contain(f"a {self._kind}"):
                await living.run()
        finally:
            if self._live.get(key) is living:
                del self._live[key]
            if self._is_shut and not self._live:
                self._empty.set()
