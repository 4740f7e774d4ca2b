"""How soon a server answers, with thousands of rooms on its disk."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import time

from bench.history_writer import write_history
from bench.load.errors import LoadError
from bench.measurement import Figures
from bench.server import Server
from bench.workloads.stored_rooms import public_rooms
from bench.workloads.workload import Run, Workload

STARTS, LINES, LONGEST_S = 5, 3, 20.0


def start(server: Server, count: int) -> Figures:
    """Seconds from starting the process to the first answer, and the CPU of it."""
    server.stop()
    for name in (f"room{number}" for number in range(count)):
        write_history(public_rooms(server) / f"{name}.jsonl", name, LINES)
    waits, cpus = [], []
    for _ in range(STARTS):
        begin = time.perf_counter()
        server.start_again()
        answered(server)
        waits.append(time.perf_counter() - begin)
        cpus.append(server.cpu_ns() / 1e9)
        server.stop()
    server.start_again()
    return {"rooms": count, "start_s": statistics.median(waits), "cpu_s": statistics.median(cpus)}


def answered(server: Server) -> None:
    """Return when the server says that it is alive."""
    end = time.perf_counter() + LONGEST_S
    while time.perf_counter() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST_S)
            connection.request("GET", "/livez")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.005)
    raise LoadError(f"no answer within {LONGEST_S:.0f} s:\n{server.log_tail()}")


def run(rooms: int) -> Run:
    """The workload with so many rooms."""
    return lambda server, _candidate, _seconds: start(server, rooms)


WORKLOADS = (
    Workload("start", "start, 10,000 rooms on disk", run(10_000), run(1_000),
             floor=False, peers=False, rounds=1),
)  # fmt: skip
