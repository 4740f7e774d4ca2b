"""What a measured interval of time yields: figures of the server, the load and the deliveries."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.host import waited_ns
from bench.load.errors import LoadError
from bench.load.latency import summary
from bench.load.load import Load
from bench.load.pace import Pace
from bench.server import Server

Figures = dict[str, float]


@dataclass(frozen=True)
class Interval:
    """An interval that is being measured."""

    server: Server
    began: float
    server_ns: int
    load_ns: int
    waited: tuple[int, int]

    @classmethod
    def begin(cls, server: Server) -> Interval:
        """From now on."""
        waited = server.waited_ns(), waited_ns()
        return cls(server, time.perf_counter(), server.cpu_ns(), time.process_time_ns(), waited)

    def end(self) -> Figures:
        """Wall time and CPU of the server in seconds, how busy each core was, and `disturbed`:
        the larger share of the time in which one of the two wanted its core and didn't have it.
        """
        cpu, wall = (self.server.cpu_ns() - self.server_ns) / 1e9, time.perf_counter() - self.began
        load = (time.process_time_ns() - self.load_ns) / 1e9
        waits = self.server.waited_ns() - self.waited[0], waited_ns() - self.waited[1]
        return {"wall_s": wall, "cpu_s": cpu, "server_share": cpu / wall,
                "load_share": load / wall, "disturbed": max(waits) / 1e9 / wall}  # fmt: skip


def deliveries_due(load: Load) -> int:
    """How many deliveries all messages sent so far must come to."""
    members: dict[str, int] = {}
    for member in load.clients.members.values():
        members[member.room] = members.get(member.room, 0) + 1
    return sum(count * members[room] for room, count in load.sent().items())


def measure_slice(load: Load, server: Server, pace: Pace, seconds: float) -> Figures:
    """Measure from the first message to the last delivery."""
    before, interval = load.total, Interval.begin(server)
    pace(load, seconds)
    load.drain(deliveries_due(load), settle=False)
    figures = interval.end()
    count = load.total - before
    if not count:
        raise LoadError("nothing was delivered")
    return figures | {
        "deliveries": count,
        "deliveries_per_s": count / figures["wall_s"],
        "cpu_us_per_delivery": figures["cpu_s"] / count * 1e6,
    }  # fmt: skip


def measure_chat(load: Load, server: Server, pace: Pace, seconds: float) -> Figures:
    """Warm up, measure, and check that every member got every message."""
    pace(load, min(1.0, seconds / 3))
    load.drain(deliveries_due(load))
    del load.latencies[:]
    figures = measure_slice(load, server, pace, seconds)
    settle_and_check(load)
    return figures | latency_figures(load)


def settle_and_check(load: Load) -> None:
    """Raise LoadError unless every member got each message of its room once, and no more come."""
    load.drain(deliveries_due(load))
    load.check(load.sent())


def latency_figures(load: Load) -> Figures:
    """Percentiles in microseconds over the deliveries that were timed."""
    latency = summary(load.latencies)
    if latency is None:
        return {}
    return {"p50_us": latency.p50, "p99_us": latency.p99, "p999_us": latency.p999,
            "max_us": latency.max, "timed": latency.count}  # fmt: skip
