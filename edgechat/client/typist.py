"""Saying that one types: at most every 3 seconds, as the protocol asks."""

from __future__ import annotations

from math import inf

INTERVAL = 3.0  # seconds


class Typist:
    """Holds back what would come too soon. `now` is in seconds of any clock."""

    def __init__(self) -> None:
        self._next = -inf
        self._types = False

    def type(self, now: float) -> None:
        """A key was pressed; what comes too soon after the last one told is not told."""
        self._types = self._types or now >= self._next

    def is_due(self, now: float) -> bool:
        """Whether to tell the server now: call it once and send it."""
        due, self._types = self._types, False
        if due:
            self._next = now + INTERVAL
        return due

    @property
    def wake_at(self) -> float:
        """When `is_due` may be true; in the past if it is."""
        return -inf if self._types else inf
