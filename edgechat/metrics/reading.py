"""What one scrape is made from, as a server hands it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgechat.metrics.loop_lag import LoopLagStatistics
from edgechat.metrics.numbers import Numbers


@dataclass(frozen=True, slots=True)
class Workers:
    """The worker processes as of now, by number."""

    pids: Mapping[int, int]  # of those that serve
    connections: Mapping[int, int]  # handed over, and not yet ended
    wanted: int
    restarts: int  # of those that ended by themselves, since the start


@dataclass(frozen=True, slots=True)
class Reading:
    """As of now. `lags` are those of other processes than the one that is asked."""

    numbers: Numbers
    lags: Sequence[LoopLagStatistics] = ()
    workers: Workers | None = None  # of a server that has several
