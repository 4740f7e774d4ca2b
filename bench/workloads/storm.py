"""Many members join one room at once."""

from __future__ import annotations

from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import hello
from bench.load.member import Member
from bench.measurement import Figures
from bench.server import Server
from bench.workloads.arrivals import arrive_at_once
from bench.workloads.workload import Run, Workload


def storm(server: Server, count: int, *, v2: bool) -> Figures:
    """All connect, upgrade and say hello at once."""
    extra = {"v": 2} if v2 else {}
    members = [Member("storm", hello(f"n{n}", **extra), keep=True) for n in range(count)]
    with Clients(server.port) as clients:
        figures = arrive_at_once(server, clients, members)
        if not v2:
            check_rosters(members)
    return figures


def check_rosters(members: list[Member]) -> None:
    """Raise LoadError unless every member was told of every member, once."""
    for member in members:
        told = member.kept.count(b'{"joined":')
        if told != len(members):
            raise LoadError(f"told of {told} of {len(members)} members")


def run(members: int, *, v2: bool) -> Run:
    """The workload with so many members."""
    return lambda server, _candidate, _seconds: storm(server, members, v2=v2)


WORKLOADS = (
    Workload("storm", "2,000 joining one room", run(2_000, v2=False), run(300, v2=False),
             floor=False, rounds=1),
    Workload("storm-v2", "2,000 joining one room, v2", run(2_000, v2=True), run(300, v2=True),
             floor=False, peers=False, rounds=3),
)  # fmt: skip
