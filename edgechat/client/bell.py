"""A signal from many to one: rung any number of times, heard once."""

from __future__ import annotations

import trio


class Bell:
    """Wakes its one listener; a ring that comes while it is busy is heard at its next wait."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        """Wake the listener, now or at its next `wait`."""
        self._rung.set()

    async def wait(self) -> None:
        """Wait for a ring since the last `wait` returned."""
        await self._rung.wait()
        self._rung = trio.Event()
