"""Two servers alive at once on one core, measured in turns so short that drift hits both alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.host import cores
from bench.load.clients import Clients
from bench.load.load import Load
from bench.measurement import measure_slice, settle_and_check
from bench.server import Server, serving
from bench.versions.engine import an_engine
from bench.versions.source import Version
from bench.workloads.chat import ONE, SMALL, TEN, Chat, rooms_of_two

SLICE_S = 0.2
NOTCH = 1.57  # McGill, Tukey, Larsen, "Variations of Box Plots", 1978
WARM_UP_SLICES = 3  # of each version after each start
TO_DISK = ("--durability", "disk")


@dataclass(frozen=True)
class Comparison:
    """What both versions are put under."""

    title: str
    chat: Chat
    ids: bool = False
    options: tuple[str, ...] = ()  # of `edgechat serve`
    new_options: tuple[str, ...] = ()  # of the new version only
    engines: tuple[bool, bool] = (False, False)  # whether each version, old and new, has one


COMPARISONS = {
    "one": Comparison("1 \u00d7 200, one in flight", ONE),
    "ten": Comparison("1 \u00d7 200, 10 senders", TEN),
    "small": Comparison("100 \u00d7 2", SMALL),
    "small-ids": Comparison("100 \u00d7 2, with ids", SMALL, ids=True),
    "disk-ten": Comparison("1 \u00d7 200, 10 senders, disk", TEN, options=TO_DISK),
    "disk-small": Comparison("100 \u00d7 2, disk", SMALL, options=TO_DISK),
    "disk-rooms": Comparison("1,000 \u00d7 2, disk", rooms_of_two(1_000), options=TO_DISK),
    "rooms": Comparison("1,000 \u00d7 2", rooms_of_two(1_000)),
    "workers": Comparison(
        "100 \u00d7 2, NEW with 2 workers", SMALL, new_options=("--workers", "2")
    ),
    "engine": Comparison("100 \u00d7 2, NEW with an engine", SMALL, engines=(False, True)),
    "engines": Comparison("100 \u00d7 2, with an engine", SMALL, engines=(True, True)),
}


@dataclass
class Side:
    """One version's running server with its load."""

    server: Server
    load: Load
    counted_ns: int = 0  # of the server's CPU time

    def measure(self, chat: Chat) -> tuple[float, float]:
        """A slice: CPU per delivery in \u00b5s, and the share of time that others had the core.

        What the server did since its last slice is counted too: work in the background, such as
        an fsync, must not be free because it falls into the other's slice.
        """
        figures = measure_slice(self.load, self.server, chat.pace, SLICE_S)
        del self.load.latencies[:]
        before, self.counted_ns = self.counted_ns, self.server.cpu_ns()
        return (self.counted_ns - before) / figures["deliveries"] / 1e3, figures["disturbed"]


@dataclass
class Outcome:
    """CPU per delivery in each slice, in \u00b5s; the slices of both at one place are a pair."""

    old: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """New to old, pair by pair."""
        return [new / old for old, new in zip(self.old, self.new, strict=True)]

    def quartiles(self) -> tuple[float, float, float]:
        """The lower quartile of the ratios, their median, and the upper one."""
        ratios = self.ratios()
        if len(ratios) < 2:
            return ratios[0], ratios[0], ratios[0]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, middle, high

    def uncertainty(self) -> float:
        """How far the median may be off (95 %), if the slices are independent."""
        low, _middle, high = self.quartiles()
        return NOTCH * (high - low) / math.sqrt(len(self.old))


def compare(
    old: Version, new: Version, comparison: Comparison, *, seconds: float, starts: int
) -> Outcome:
    """So many seconds of measuring, over so many fresh pairs of servers: a process can be lucky
    in where its memory lies, and that stays with it.
    """
    outcome = Outcome()
    pairs = max(1, round(seconds / starts / (2 * SLICE_S)))
    for _ in range(starts):
        with ExitStack() as stack:
            ways = ((old, comparison.options), (new, comparison.options + comparison.new_options))
            sides = [
                started(stack, version, comparison, options + engine_of(stack, has_engine))
                for (version, options), has_engine in zip(ways, comparison.engines, strict=True)
            ]
            for _ in range(WARM_UP_SLICES):
                measure_pair(sides, comparison.chat)
            for number in range(pairs):
                add_pair(outcome, sides, comparison.chat, new_first=number % 2 == 1)
            for side in sides:
                settle_and_check(side.load)
    return outcome


def engine_of(stack: ExitStack, has_engine: bool) -> tuple[str, ...]:
    """The options for an engine of its own, on the load generator's core; none without one."""
    return stack.enter_context(an_engine(cores()[1])) if has_engine else ()


def started(
    stack: ExitStack, version: Version, comparison: Comparison, options: tuple[str, ...]
) -> Side:
    """A fresh server of this version with all members in their rooms, until the stack closes."""

    def command(port: int, data: Path) -> list[str]:
        return version.serve(port, data, *options)

    server = stack.enter_context(serving(command, core=cores()[0]))
    clients = stack.enter_context(Clients(server.port))
    return Side(server, comparison.chat.gather(clients, ids=comparison.ids))


def measure_pair(sides: Sequence[Side], chat: Chat) -> list[tuple[float, float]]:
    """A slice of each, in this order."""
    return [side.measure(chat) for side in sides]


def add_pair(outcome: Outcome, sides: Sequence[Side], chat: Chat, *, new_first: bool) -> None:
    """Measure a slice of each, beginning with another every time."""
    slices = measure_pair(sides[::-1] if new_first else sides, chat)
    (old, old_disturbed), (new, new_disturbed) = slices[::-1] if new_first else slices
    outcome.old.append(old)
    outcome.new.append(new)
    outcome.disturbed += (old_disturbed, new_disturbed)
