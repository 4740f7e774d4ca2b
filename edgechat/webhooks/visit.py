"""A webhook's stay in a room: it hears of new lines, and of the room's end."""

from __future__ import annotations

import trio

from edgechat.chat.errors import Close


class Visit:
    """For as long as the room lives. It stands where a connection's `Stream` would."""

    def __init__(self) -> None:
        self._rung = trio.Event()
        self._over = trio.Event()

    @property
    def is_over(self) -> bool:
        """Whether the room ended."""
        return self._over.is_set()

    def ring(self) -> None:
        """There are new lines."""
        self._rung.set()

    def write(self, frames: bytes) -> None:
        """Nobody does: the lines are read."""

    async def drained(self) -> None:
        """Nothing ever waits here."""

    def close(self, code: Close, reason: str) -> None:
        """The room ends."""
        self._over.set()
        self._rung.set()

    def listen(self) -> None:
        """From now on lines are new that come after this."""
        self._rung = trio.Event()

    async def wait(self) -> None:
        """Until there are new lines since `listen`, or it is over."""
        if not self.is_over:
            await self._rung.wait()

    async def sleep(self, seconds: float) -> None:
        """So long, but not longer than the visit."""
        with trio.move_on_after(seconds):
            await self._over.wait()
