"""Connections that a worker has, as far as they count: the front's limits are over all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from edgechat.workers.messages import NOBODY

_NONE: Mapping[str, int] = MappingProxyType({})


class Leave(Protocol):
    """`ConnectionLimits.leave`: a connection of this address has ended."""

    def __call__(self, address: str | None, *, page: bool = False) -> None:
        """`page`: it asked for a file of the page, and counted apart."""


class Held:
    """How many connections one worker has of each address."""

    def __init__(self, leave: Leave) -> None:
        """`leave` is called for each connection that has ended."""
        self._leave = leave
        self._counts: Counter[str] = Counter()
        self._page: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total() + self._page.total()

    def add(self, address: str | None, *, page: bool = False) -> None:
        """One was handed over; `page`: it counts among those that ask for the page's files."""
        (self._page if page else self._counts)[address or NOBODY] += 1

    def end(self, counts: Mapping[str, int], page: Mapping[str, int] = _NONE) -> None:
        """So many have ended, by the worker's word. More than it had are not believed."""
        self._end(self._counts, counts, page=False)
        self._end(self._page, page, page=True)

    def give_up(self, address: str, *, page: bool = False) -> None:
        """One goes on elsewhere: it has not ended, and counts here no longer."""
        self._take(self._page if page else self._counts, address, 1)

    def end_all(self) -> None:
        """The worker has ended, and all that it had with it."""
        self.end(dict(self._counts), dict(self._page))

    def _end(self, held: Counter[str], ended: Mapping[str, int], *, page: bool) -> None:
        for address, count in ended.items():
            for _ in range(self._take(held, address, count)):
                self._leave(address or None, page=page)

    def _take(self, held: Counter[str], address: str, count: int) -> int:
        """Take away so many, or as many as there are; returns how many."""
        known = min(count, held[address])
        held[address] -= known
        if not held[address]:
            del held[address]
        return known
