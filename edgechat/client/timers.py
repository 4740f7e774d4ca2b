"""What a conversation does by the clock: pings, and showing that somebody types.

Everywhere `now` is in seconds of any one clock.
"""

from __future__ import annotations

from math import inf

TYPING_INTERVAL = 3.0  # seconds: `docs/protocol.md`


class Liveness:
    """When to ping the server, and when to take its connection for dead.

    After `interval` seconds of silence a ping; `timeout` seconds after it: dead. Any frame is a
    sign of life, not the pong alone.
    """

    def __init__(self, interval: float, timeout: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self._heard_at = inf  # inf: not listening
        self._asked_at: float | None = None
        self._count = 0

    def heard(self, now: float) -> None:
        """A frame came, or listening begins (again)."""
        self._heard_at = now
        self._asked_at = None

    def pause(self) -> None:
        """Nobody listens until the next `heard`: silence means nothing."""
        self._heard_at = inf
        self._asked_at = None

    def ping(self, now: float) -> int | None:
        """The number to ping with, if a ping is due now: call it once and send it."""
        if self._asked_at is not None or now < self._heard_at + self._interval:
            return None
        self._asked_at = now
        self._count += 1
        return self._count

    def is_dead(self, now: float) -> bool:
        """Whether a ping has gone unanswered for too long."""
        return self._asked_at is not None and now >= self._asked_at + self._timeout

    @property
    def wake_at(self) -> float:
        """When to look again."""
        if self._asked_at is not None:
            return self._asked_at + self._timeout
        return self._heard_at + self._interval


class TypingThrottle:
    """Says at most every 3 seconds that somebody types."""

    def __init__(self) -> None:
        self._next = -inf
        self._types = False

    def type(self, now: float) -> None:
        """A key was pressed. Within 3 s of the last frame this does nothing."""
        self._types = self._types or now >= self._next

    def is_due(self, now: float) -> bool:
        """Whether to tell the server now: call it once and send it."""
        due, self._types = self._types, False
        if due:
            self._next = now + TYPING_INTERVAL
        return due

    @property
    def wake_at(self) -> float:
        """When `is_due` may be true; in the past if it is."""
        return -inf if self._types else inf
