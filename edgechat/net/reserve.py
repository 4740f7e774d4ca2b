"""File descriptors held back for connections, when rooms and clients have taken all others.

A room with a history holds one for as long as somebody was there a minute ago, and anybody can
visit rooms. Without a reserve nobody would get in until those are let go.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from math import inf

import trio

from edgechat import system

log = logging.getLogger(__name__)

_CALM = 60.0  # seconds without a need: then the log is told of the next one
_SHARE = 8  # of all descriptors, one in so many at most


class Reserve:
    """So many descriptors; they lead nowhere."""

    def __init__(self, size: int) -> None:
        self._size = min(size, system.descriptor_limit() // _SHARE)
        self._held: list[int] = []
        self._needed_at = -inf

    def __len__(self) -> int:
        """How many are held."""
        return len(self._held)

    def fill(self) -> None:
        """Take as many as there are, up to its size."""
        with suppress(OSError):
            while len(self._held) < self._size:
                self._held.append(system.hold_descriptor())

    def make_room(self) -> None:
        """Give one back if there is no other for the connection that comes next."""
        try:
            system.close(system.hold_descriptor())
        except OSError:
            self.release()

    def release(self) -> bool:
        """Give one back, for a connection; False where there is none left."""
        if not self._held:
            return False
        now, before = trio.current_time(), self._needed_at
        self._needed_at = now
        if now - before >= _CALM:
            log.warning("File descriptors run out: connections get some of the reserve.")
        system.close(self._held.pop())
        return True

    def close(self) -> None:
        """Give all back, for good."""
        self._size = 0
        while self._held:
            system.close(self._held.pop())
