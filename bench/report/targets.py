"""What EdgeChat is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.report.results import Results

ME = "edgechat"


@dataclass(frozen=True)
class Target:
    """A figure and its bound."""

    workload: str
    what: str
    figure: Callable[[Results], float | None]
    bound: float
    at_most: bool = True
    unit: str = ""
    other: str = ""  # the server it is compared with

    def met(self, figure: float) -> bool:
        """Whether the figure is within the bound."""
        return figure <= self.bound if self.at_most else figure >= self.bound


def against(workload: str, other: str, figure: str) -> Callable[[Results], float | None]:
    """EdgeChat's figure over another server's."""
    return lambda results: results.ratio(workload, ME, other, figure)


def own(workload: str, figure: str) -> Callable[[Results], float | None]:
    """EdgeChat's figure."""
    return lambda results: results.median(workload, ME, figure)


def times(workload: str, what: str, other: str, figure: str, bound: float, *,
          at_most: bool) -> Target:  # fmt: skip
    """A ratio to another server in the same rounds."""
    return Target(workload, what, against(workload, other, figure), bound, at_most, "\u00d7", other)


CPU, RATE = "cpu_us_per_delivery", "deliveries_per_s"
IDLE_CPU = 1.0  # ms a second: "none" to within the clocks, and the heartbeats of thousands

TARGETS = (
    times("one", "CPU per delivery, to the floor's", "floor", CPU, 1.15, at_most=True),
    times("one", "CPU per delivery, to Node ws's", "node", CPU, 1.0, at_most=True),
    times("one", "CPU per delivery, to websockets'", "websockets", CPU, 1.0, at_most=True),
    times("one", "CPU per delivery, to picows's", "picows", CPU, 1.0, at_most=True),
    times("ten", "deliveries a second, to the floor's", "floor", RATE, 5.0, at_most=False),
    times("ten", "deliveries a second, to socketify's", "socketify", RATE, 1.0, at_most=False),
    times("small", "deliveries a second, to Node ws's", "node", RATE, 1.2, at_most=False),
    times("small", "CPU per delivery, to Node ws's", "node", CPU, 0.83, at_most=True),
    times("open", "p99, to the floor's", "floor", "p99_us", 1.3, at_most=True),
    Target("idle2k", "memory a connection", own("idle2k", "rss_kib"), 12, unit=" KiB"),
    Target("idle10k", "memory a connection", own("idle10k", "rss_kib"), 12, unit=" KiB"),
    Target("idle10k", "CPU while idle", own("idle10k", "idle_cpu_ms_per_s"), IDLE_CPU,
           unit=" ms/s"),
    Target("storm", "server CPU", own("storm", "cpu_s"), 2, unit=" s"),
    Target("storm", "wall until all are ready", own("storm", "wall_s"), 4, unit=" s"),
    Target("storm-v2", "server CPU", own("storm-v2", "cpu_s"), 2, unit=" s"),
    Target("storm-v2", "wall until all are ready", own("storm-v2", "wall_s"), 4, unit=" s"),
    Target("resume", "server CPU, all recovered", own("resume", "cpu_s"), 2, unit=" s"),
    Target("flood", "others' p99, to theirs without", own("flood", "p99_ratio"), 3,
           unit="\u00d7"),
    Target("flood-apart", "others' p99, to theirs without", own("flood-apart", "p99_ratio"), 3,
           unit="\u00d7"),
    Target("history", "opening it, CPU", own("history", "open_cpu_ms"), 50, unit=" ms"),
    Target("history", "a page from anywhere, CPU", own("history", "page_cpu_ms"), 5, unit=" ms"),
    Target("history", "verify", own("history", "verify_mb_per_s"), 30, at_most=False,
           unit=" MB/s"),
    Target("rooms", "memory beyond recent lines", own("rooms", "beyond_kib"), 64, unit=" KiB"),
    Target("start", "seconds to the first answer", own("start", "start_s"), 0.5, unit=" s"),
    Target("disk", "messages to an fsync", own("disk", "messages_per_fsync"), 50, at_most=False),
)  # fmt: skip
