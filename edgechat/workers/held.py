"""Connections that a worker has, as far as they count: the front's limits are over all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from edgechat.workers.messages import NOBODY


class Held:
    """How many connections one worker has of each address."""

    def __init__(self, leave: Callable[[str | None], None]) -> None:
        """`leave` is called for each connection that has ended: `ConnectionLimits.leave`."""
        self._leave = leave
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, address: str | None) -> None:
        """One was handed over."""
        self._counts[address or NOBODY] += 1

    def end(self, counts: Mapping[str, int]) -> None:
        """So many have ended, by the worker's word. More than it had are not believed."""
        for address, count in counts.items():
            known = min(count, self._counts[address])
            self._counts[address] -= known
            if not self._counts[address]:
                del self._counts[address]
            for _ in range(known):
                self._leave(address or None)

    def end_all(self) -> None:
        """The worker has ended, and all that it had with it."""
        self.end(dict(self._counts))
