"""Members that say nothing: what an idle connection costs in memory and in CPU."""

from __future__ import annotations

from bench.crowd import Crowd, Member
from bench.frame import hello
from bench.measurement import Figures, Stretch
from bench.process import Server

ROOM_MEMBERS = 100
WARM_UP = 100  # these join first, so that what is loaded at first use is not counted


def idle(server: Server, connections: int, seconds: float) -> Figures:
    """So many connections, 100 to a room, then nothing but waiting."""
    crowd = Crowd(server.port)
    try:
        crowd.join(newcomers(0, WARM_UP))
        crowd.settle()
        before = server.memory(), server.memory("Rss")
        joining = Stretch.begin(server)
        crowd.join(newcomers(WARM_UP, connections), timeout=120)
        crowd.settle()
        joined = joining.end()
        crowd.wait(min(2.0, seconds))
        waiting = Stretch.begin(server)
        crowd.wait(seconds)
        figures = waiting.end()
        after = server.memory(), server.memory("Rss")
    finally:
        crowd.close()
    count = connections - WARM_UP
    return {
        "connections": connections,
        "pss_kib": (after[0] - before[0]) / count / 1024,
        "rss_kib": (after[1] - before[1]) / count / 1024,
        "idle_cpu_ms_per_s": figures["cpu_s"] / figures["wall_s"] * 1e3,
        "join_cpu_s": joined["cpu_s"],
        "disturbed": figures["disturbed"],
    }


def newcomers(first: int, end: int) -> list[Member]:
    """Members number `first` to `end`, each in the room of its hundred."""
    return [Member(f"room{n // ROOM_MEMBERS}", hello(f"n{n}")) for n in range(first, end)]
