"""The limiter's arithmetic, the demo's: `next = max(now, next) + interval` on each message,
refused while `next - now > grace`.

With an interval of 5 s and a grace of 20 s, five messages pass at once and then one every 5 s.
"""

from __future__ import annotations

from typing import Protocol


class Spendable(Protocol):
    """Whoever lets a session say something."""

    def spend(self, now: float) -> float:
        """Take one message's worth and return 0.0, or nothing and return the seconds to wait."""

    def refund(self) -> None:
        """Give back what the last `spend` took: its message was refused for another reason."""

    def read(self, now: float) -> float:
        """Take a look into a history and return 0.0, or nothing and return the seconds to wait."""

    def reserve_read(self, now: float) -> float:
        """Take a look into a history in any case; returns the seconds until its turn."""


class Allowance:
    """What one address may still say, in seconds of a clock that never goes back."""

    __slots__ = ("_grace", "_interval", "full_at")

    def __init__(self, interval: float, grace: float) -> None:
        self.change(interval, grace)
        self.full_at = float("-inf")  # the demo's `next`: from then on it is as good as new

    def change(self, interval: float, grace: float) -> None:
        """Another rule holds from now on; what was spent stays spent."""
        self._interval = interval
        self._grace = grace

    def spend(self, now: float) -> float:
        """Take one message's worth and return 0.0, or nothing and return the seconds to wait."""
        start = max(now, self.full_at)
        wait = start - now - self._grace
        if wait > 0:
            return wait
        self.full_at = start + self._interval
        return 0.0

    def reserve(self, now: float) -> float:
        """Take one message's worth, whatever there is; returns the seconds until its turn."""
        start = max(now, self.full_at)
        self.full_at = start + self._interval
        return max(0.0, start - now - self._grace)

    def refund(self) -> None:
        """Give back what the last `spend` took: its message was refused for another reason."""
        self.full_at -= self._interval

    def charge(self, messages: int, now: float) -> None:
        """So many were said elsewhere, whatever this says; below 0, so many are given back."""
        self.full_at = max(now, self.full_at) + messages * self._interval

    def is_idle(self, now: float) -> bool:
        """Whether forgetting this allowance would change no later answer."""
        return self.full_at <= now
