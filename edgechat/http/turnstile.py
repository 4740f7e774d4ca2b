"""Requests begin a few at a time, however many come at once.

A request takes some ms of the one thread, in ten or more steps, and a turn of the loop takes a step
of each that is going on: with sixty of them everybody else waits 20 ms for each turn. So a request
waits for a place. It has it until it is answered, but not for long: one that waits for a client, a
disk or a message takes no time, and must not keep others out.
"""

from __future__ import annotations

import trio


class Turnstile:
    """So many places, each held for so many seconds at most."""

    def __init__(self, places: int, seconds: float, nursery: trio.Nursery) -> None:
        """`nursery` runs what ends a stay."""
        self._places = trio.CapacityLimiter(places)
        self._seconds = seconds
        self._nursery = nursery
        self._inside: set[object] = set()

    async def enter(self, who: object) -> None:
        """Wait for a place, in the order of coming."""
        await self._places.acquire_on_behalf_of(who)
        self._inside.add(who)
        self._nursery.start_soon(self._expire, who, name="a request's place")

    def leave(self, who: object) -> None:
        """Give the place to the next; safe where it has been given away, or was never there."""
        if who in self._inside:
            self._inside.remove(who)
            self._places.release_on_behalf_of(who)

    async def _expire(self, who: object) -> None:
        await trio.sleep(self._seconds)
        self.leave(who)
