"""What a worker tells the front while it serves. Nothing of it keeps a message waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import NoReturn

import trio

from edgechat.workers.channel import Channel
from edgechat.workers.messages import Figures, Left, Spent

_EVERY = 1.0  # seconds from one of the figures to the next
_SETTLE = 0.1  # seconds in which what is spent gathers
_AT_ONCE = 500  # addresses in one message


class Report:
    """Gathers what is to be told; it is a `rooms.limiter.Ledger`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._left: Counter[str] = Counter()
        self._left_page: Counter[str] = Counter()
        self._spent: Counter[str] = Counter()
        self._has_left = trio.Event()
        self._has_spent = trio.Event()

    def left(self, address: str, *, page: bool = False) -> None:
        """A connection that counts for this address has ended. Never waits.

        `page`: it counts among those that ask for the page's files.
        """
        (self._left_page if page else self._left)[address] += 1
        self._has_left.set()

    def spent(self, address: str, messages: int) -> None:
        """So many messages were sent from there; -1: one is given back. Never waits."""
        self._spent[address] += messages
        self._has_spent.set()

    async def tell_left(self) -> NoReturn:
        """At once, for ever. Raises `ChannelClosed`."""
        while True:
            await self._has_left.wait()
            self._has_left = trio.Event()
            while self._left or self._left_page:
                await self._channel.send(Left(_take(self._left), _take(self._left_page)))

    async def tell_spent(self) -> NoReturn:
        """Some times a second at most, for ever. Raises `ChannelClosed`."""
        while True:
            await self._has_spent.wait()
            await trio.sleep(_SETTLE)
            self._has_spent = trio.Event()
            while self._spent:
                amounts = {address: n for address, n in _take(self._spent).items() if n}
                if amounts:
                    await self._channel.send(Spent(amounts))

    async def tell_figures(self, read: Callable[[], Awaitable[Figures]]) -> NoReturn:
        """Every second, for ever. Raises `ChannelClosed`."""
        while True:
            await self._channel.send(await read())
            await trio.sleep(_EVERY)


def _take(counts: Counter[str]) -> dict[str, int]:
    """Some of them, which are there no more."""
    some = dict(islice(counts.items(), _AT_ONCE))
    for address in some:
        del counts[address]
    return some
