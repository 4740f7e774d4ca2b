"""When to ask whether the server is still there, and when to stop believing it."""

from __future__ import annotations

from math import inf


class Heartbeat:
    """After `interval` seconds of silence a ping; `timeout` seconds after it: dead.

    Whatever comes is a sign of life, not the pong alone. `now` is in seconds of any clock.
    """

    def __init__(self, interval: float, timeout: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self._heard_at = inf  # inf: not listening
        self._asked_at: float | None = None
        self._count = 0

    def heard(self, now: float) -> None:
        """Something came, or listening begins (again)."""
        self._heard_at = now
        self._asked_at = None

    def pause(self) -> None:
        """Nobody listens until the next `heard`: silence says nothing."""
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
