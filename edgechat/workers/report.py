"""What a worker tells the front while it serves. Nothing of it keeps a message waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

import trio

from edgechat.rooms.spending import Spending, take_some
from edgechat.workers.channel import Channel
from edgechat.workers.messages import Figures, Left, Spent

_EVERY = 1.0  # seconds from one of the figures to the next


class Report:
    """Gathers what is to be told."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._left: Counter[str] = Counter()
        self._left_page: Counter[str] = Counter()
        self._has_left = trio.Event()
        self.spending = Spending()

    def left(self, address: str, *, page: bool = False) -> None:
        """A connection that counts for this address has ended. Never waits.

        `page`: it counts among those that ask for the page's files.
        """
        (self._left_page if page else self._left)[address] += 1
        self._has_left.set()

    async def tell_left(self) -> NoReturn:
        """At once, for ever. Raises `ChannelClosed`."""
        while True:
            await self._has_left.wait()
            self._has_left = trio.Event()
            while self._left or self._left_page:
                await self._channel.send(Left(take_some(self._left), take_some(self._left_page)))

    async def tell_spent(self) -> NoReturn:
        """Some times a second at most, for ever. Raises `ChannelClosed`."""
        await self.spending.settle(self._tell)

    async def tell_figures(self, read: Callable[[], Awaitable[Figures]]) -> NoReturn:
        """Every second, for ever. Raises `ChannelClosed`."""
        while True:
            await self._channel.send(await read())
            await trio.sleep(_EVERY)

    async def _tell(self, spent: Mapping[str, int]) -> None:
        await self._channel.send(Spent(spent))
