"""One live task per key: started at first use, gone when idle, and no race between the two."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import Generic, Protocol, TypeVar

import trio

log = logging.getLogger(__name__)

_LOOK_AT = 64  # of the oldest, for one to let go: a full table must not make each arrival slow


class Full(Exception):
    """There are as many as there may be, and none of the oldest is idle."""


class Live(Protocol):
    """Something that a task keeps alive."""

    async def run(self) -> None:
        """Live. The step that decides to return must not wait any more: then nobody is lost."""

    def is_idle(self) -> bool:
        """Whether nobody would miss it."""

    def stop(self) -> None:
        """End soon: another takes its place."""


Key = TypeVar("Key", bound=Hashable)
Living = TypeVar("Living", bound=Live)


class Registry(Generic[Key, Living]):
    """Starts what lives in the server's nursery: this is the only place that is handed one."""

    def __init__(
        self, nursery: trio.Nursery, make: Callable[[Key], Living], most: int, kind: str
    ) -> None:
        self._nursery = nursery
        self._make = make
        self._most = most
        self._kind = kind
        self._live: dict[Key, Living] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Living]:
        return iter(list(self._live.values()))

    def get(self, key: Key) -> Living:
        """The live one for `key`; starts it if there is none. Raises `Full`."""
        living = self._live.get(key)
        if living is None:
            if len(self._live) >= self._most:
                self._let_one_go()
            living = self._live[key] = self._make(key)
            self._nursery.start_soon(self._keep, key, living, name=f"{self._kind}")
        return living

    def find(self, key: Key) -> Living | None:
        """The live one for `key`, if there is one."""
        return self._live.get(key)

    def _let_one_go(self) -> None:
        for key, living in islice(self._live.items(), _LOOK_AT):
            if living.is_idle():
                del self._live[key]
                living.stop()
                return
        raise Full(f"no room for one more {self._kind}")

    async def _keep(self, key: Key, living: Living) -> None:
        """Run one; what goes wrong in it ends it alone, and the next use starts a fresh one."""
        try:
            await living.run()
        except Exception:
            log.exception("A defect ended a %s; the next visit starts a fresh one.", self._kind)
        finally:
            if self._live.get(key) is living:
                del self._live[key]
