"""Latencies: many moments in, a few percentiles out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Percentiles in microseconds, over `count` deliveries."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def summary(nanoseconds: Iterable[int] | array[int]) -> Latency | None:
    """What the samples come to; None if there are none."""
    ordered = sorted(nanoseconds)
    if not ordered:
        return None
    p50, p99, p999, top = (percentile(ordered, share) for share in (0.5, 0.99, 0.999, 1.0))
    return Latency(len(ordered), p50 / 1e3, p99 / 1e3, p999 / 1e3, top / 1e3)
