"""How soon a server answers, with thousands of rooms on its disk."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import time

from bench import story
from bench.crowd import LoadError
from bench.history import rooms
from bench.measurement import Figures
from bench.process import Server

STARTS, LINES, LONGEST_S = 5, 3, 20.0


def start(server: Server, count: int) -> Figures:
    """Seconds from starting the process to the first answer, and the CPU of it."""
    server.stop()
    for number in range(count):
        story.write(rooms(server) / f"room{number}.jsonl", f"room{number}", LINES)
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
    raise LoadError(f"no answer within {LONGEST_S:.0f} s:\n{server.last_words()}")
