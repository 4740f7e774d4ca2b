"""Members that send nothing: what an idle connection costs in memory and in CPU."""

from __future__ import annotations

from bench.candidates import Candidate
from bench.load.clients import Clients
from bench.load.frames import NO_NAME, hello
from bench.load.member import Member
from bench.measurement import Figures, Interval
from bench.server import Server
from bench.workloads.workload import Run, Workload

ROOM_MEMBERS = 100
WARM_UP = 100  # these join first, so that what is loaded at first use is not counted
JOIN_S = 120.0


def idle(server: Server, connections: int, seconds: float, *, names: bool) -> Figures:
    """So many connections, 100 to a room, then nothing but waiting."""
    with Clients(server.port) as clients:
        clients.join(newcomers(0, WARM_UP, names=names))
        clients.settle()
        before = server.memory(), server.memory("Rss")
        joining = Interval.begin(server)
        clients.join(newcomers(WARM_UP, connections, names=names), timeout=JOIN_S)
        clients.settle()
        joined = joining.end()
        clients.wait(min(2.0, seconds))
        waiting = Interval.begin(server)
        clients.wait(seconds)
        figures = waiting.end()
        after = server.memory(), server.memory("Rss")
    count = connections - WARM_UP
    return {
        "connections": connections,
        "pss_kib": (after[0] - before[0]) / count / 1024,
        "rss_kib": (after[1] - before[1]) / count / 1024,
        "idle_cpu_ms_per_s": figures["cpu_s"] / figures["wall_s"] * 1e3,
        "join_cpu_s": joined["cpu_s"],
        "disturbed": figures["disturbed"],
    }


def newcomers(first: int, end: int, *, names: bool) -> list[Member]:
    """Members number `first` to `end`, each in the room of its hundred."""
    return [Member(f"room{n // ROOM_MEMBERS}", hello(f"n{n}" if names else NO_NAME))
            for n in range(first, end)]  # fmt: skip


def run(connections: int) -> Run:
    """The workload with so many connections."""

    def measure(server: Server, candidate: Candidate, seconds: float) -> Figures:
        return idle(server, connections, max(2.0, seconds), names=candidate.names)

    return measure


WORKLOADS = (
    Workload("idle2k", "2,000 idle", run(2_000), run(1_000), rounds=2, seconds=10),
    Workload("idle10k", "10,000 idle", run(10_000), run(2_000), rounds=1, seconds=10),
)
