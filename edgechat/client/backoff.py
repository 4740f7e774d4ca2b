"""Full-jitter exponential back-off.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ has the measurements:
clients that a restart cut off all at once come back spread out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Counts failures; the n-th (from 0) waits `random() * min(cap, base * 2**n)` seconds."""

    base: float
    cap: float
    random: Callable[[], float]
    failures: int = 0

    def delay(self, at_least: int = 0) -> float:
        """The seconds to wait now. Counts one more failure, or as if there had been `at_least`."""
        n = max(self.failures, at_least)
        self.failures = n + 1
        longest: float = min(self.cap, self.base * 2 ** min(n, 30))  # 2**30 s is beyond any cap
        return self.random() * longest

    def reset(self) -> None:
        """All is well again."""
        self.failures = 0
