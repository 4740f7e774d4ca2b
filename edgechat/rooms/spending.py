"""What addresses spend in this process, gathered for whoever adds it up over several of them.

A message is answered at once by what is known here. What was spent is told a moment later, to the
front of several workers or to the engine of several nodes, and from there comes back when the
address's allowance is full again (`Allowances.learn`). So nothing waits for another process, the
rate over a while is exact, and an address gains one burst in each process, once, at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import NoReturn

import trio

_SETTLE = 0.1  # seconds in which what is spent gathers
_AT_ONCE = 500  # addresses told together


class Spending:
    """A `rooms.limiter.Ledger` that passes on what it is told."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._has_spent = trio.Event()

    def spent(self, address: str, messages: int) -> None:
        """So many messages were sent from there; -1: one is given back. Never waits."""
        self._spent[address] += messages
        self._has_spent.set()

    async def settle(self, tell: Callable[[Mapping[str, int]], Awaitable[None]]) -> NoReturn:
        """Tell it some times a second at most, for ever. What `tell` raises ends it."""
        while True:
            await self._has_spent.wait()
            await trio.sleep(_SETTLE)
            self._has_spent = trio.Event()
            while self._spent:
                amounts = {address: n for address, n in take_some(self._spent).items() if n}
                if amounts:
                    await tell(amounts)


def take_some(counts: Counter[str]) -> dict[str, int]:
    """As many as are told together; they are in `counts` no more."""
    some = dict(islice(counts.items(), _AT_ONCE))
    for address in some:
        del counts[address]
    return some
