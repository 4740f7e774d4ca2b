"""What the workloads in which many members arrive at once have in common."""

from __future__ import annotations

from bench.load.clients import Clients
from bench.load.latency import summary
from bench.load.member import Member
from bench.measurement import Figures, Interval
from bench.server import Server

JOIN_S = 180.0


def arrive_at_once(server: Server, clients: Clients, members: list[Member]) -> Figures:
    """All connect at once. Wall time counts to the last `ready`, CPU until the last notice has
    been sent as well; latency is from connecting to `ready`.
    """
    interval = Interval.begin(server)
    clients.join(members, at_once=len(members), timeout=JOIN_S)
    ready = interval.end()
    clients.settle(quiet=1.0, timeout=JOIN_S)
    settled = interval.end()
    latency = summary(member.ready_ns - member.began_ns for member in members)
    assert latency is not None
    return {"wall_s": ready["wall_s"], "cpu_s": settled["cpu_s"], "ready_cpu_s": ready["cpu_s"],
            "disturbed": ready["disturbed"], "p50_us": latency.p50, "p99_us": latency.p99,
            "max_us": latency.max}  # fmt: skip
