"""What open rooms with nobody in them hold in memory."""

from __future__ import annotations

from pathlib import Path

from bench.commands import edgechat
from bench.history_writer import write_history
from bench.load.clients import Clients
from bench.load.frames import hello
from bench.load.member import Member
from bench.measurement import Figures
from bench.server import Server
from bench.workloads.stored_rooms import public_rooms, restart, wait_idle
from bench.workloads.workload import Run, Workload

ROOM_LINES = 200
WARM_UP = 50


def command(port: int, data: Path) -> list[str]:
    """EdgeChat that keeps a room open for long after the last member left."""
    return edgechat(port, data, "--room-idle", "3600")


def open_rooms(server: Server, count: int) -> Figures:
    """Memory of an open room with a history and nobody in it, beyond its recent lines."""
    server.stop()
    size = 0
    for name in (f"room{number}" for number in range(count)):
        size += write_history(public_rooms(server) / f"{name}.jsonl", name, ROOM_LINES)[-1]
    restart(server)
    visit(server, "warm", WARM_UP)
    before = server.memory()
    visit(server, "room", count)
    held = (server.memory() - before) / count / 1024
    recent = size / count / 1024
    return {"open_room_kib": held, "recent_lines_kib": recent, "beyond_kib": held - recent}


def visit(server: Server, room: str, count: int) -> None:
    """One member joins each of so many rooms, and leaves."""
    with Clients(server.port) as clients:
        clients.join([Member(f"{room}{number}", hello("visitor")) for number in range(count)])
        clients.settle()
    wait_idle(server)


def run(rooms: int) -> Run:
    """The workload with so many rooms."""
    return lambda server, _candidate, _seconds: open_rooms(server, rooms)


WORKLOADS = (
    Workload("rooms", "1,000 open rooms", run(1_000), run(200),
             floor=False, peers=False, rounds=1, command=command),
)  # fmt: skip
