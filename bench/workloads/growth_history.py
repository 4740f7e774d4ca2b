"""How the cost of reading grows with a room's history: opening it, a page, a resume."""

from __future__ import annotations

import json
import statistics
from array import array
from pathlib import Path

from bench.history_writer import write_history
from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import hello
from bench.load.member import Member
from bench.measurement import Figures, Interval
from bench.server import Server
from bench.workloads.history import ROOM, opening, page, spread_over
from bench.workloads.stored_rooms import public_rooms, restart
from bench.workloads.workload import Workload

FIGURES = {
    "open_cpu_ms": "opening the room",
    "page_cpu_ms": "a page of 100 lines",
    "resume_cpu_ms": "resuming 500 lines",
}
OPENINGS, RESUMES, MISSED = 3, 10, 500
LARGE = 1_000_000


def workload(key: str, title: str, lines: int) -> Workload:
    """The workload with a history of so many lines."""
    return Workload(key, title, lambda server, _candidate, _seconds: read(server, lines),
                    floor=False, peers=False, rounds=1, large=lines >= LARGE)  # fmt: skip


def read(server: Server, lines: int) -> Figures:
    """CPU of the server, in ms, for each way to read a history."""
    file = public_rooms(server) / f"{ROOM}.jsonl"
    server.stop()
    places = write_history(file, ROOM, lines)
    openings = [cold_opening(server) for _ in range(OPENINGS)]
    return {
        "open_cpu_ms": statistics.median(openings),
        "page_cpu_ms": statistics.fmean(
            page(server, file, places, number) for number in spread_over(lines)
        ),
        "resume_cpu_ms": resuming(server, token(file, places, lines - MISSED)),
    }


def cold_opening(server: Server) -> float:
    """CPU, in ms, of the first member after a restart. The server runs on."""
    if server.alive():
        server.stop()
    restart(server)
    return opening(server)


def token(file: Path, places: array[int], seq: int) -> dict[str, object]:
    """`seq` and `h` of a line, for a hello."""
    with file.open("rb") as stored:
        stored.seek(places[seq - 1])
        line = json.loads(stored.readline())
    return {"seq": line["seq"], "h": line["h"]}


def resuming(server: Server, since: dict[str, object]) -> float:
    """CPU, in ms, until a member has all lines after its token; a mean over several members."""
    members = [Member(ROOM, hello("back", v=2, since=since), keep=True) for _ in range(RESUMES)]
    with Clients(server.port) as clients:
        interval = Interval.begin(server)
        clients.join(members, at_once=1)
        cpu = interval.end()["cpu_s"]
    for member in members:
        got = bytes(member.kept).count(b'"message":')
        if got != MISSED or b'"recovered":true' not in member.kept:
            raise LoadError(f"resumed with {got} lines, not {MISSED}")
    return cpu / RESUMES * 1e3
