"""How late the event loop runs what is due: everybody waits at least so long for an answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import NoReturn

import trio

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, inf)  # seconds
_EVERY = 0.5  # seconds between two looks


@dataclass(frozen=True, slots=True)
class LoopLagStatistics:
    """Since the start. `counts` has, for each of `BOUNDS`, the looks that were no later."""

    counts: Sequence[int]
    seconds: float  # all lags added up


def add_lags(lags: Iterable[LoopLagStatistics]) -> LoopLagStatistics:
    """Of several loops together."""
    counts, seconds = [0] * len(BOUNDS), 0.0
    for lag in lags:
        counts = [one + other for one, other in zip(counts, lag.counts, strict=True)]
        seconds += lag.seconds
    return LoopLagStatistics(counts, seconds)


class LoopLag:
    """Measures it, twice a second."""

    def __init__(self) -> None:
        self._counts = [0] * len(BOUNDS)
        self._seconds = 0.0

    async def run(self) -> NoReturn:
        """Measure, for ever."""
        while True:
            due = trio.current_time() + _EVERY
            await trio.sleep_until(due)
            self.note(trio.current_time() - due)

    def note(self, lag: float) -> None:
        """Count one measurement, in seconds."""
        lag = max(lag, 0.0)
        self._counts[bisect_left(BOUNDS, lag)] += 1
        self._seconds += lag

    def statistics(self) -> LoopLagStatistics:
        """As of now."""
        return LoopLagStatistics(tuple(accumulate(self._counts)), self._seconds)
