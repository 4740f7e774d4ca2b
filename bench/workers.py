"""What a server of several workers costs beside one process: `python -m bench.workers`.

Both are alive at once on one core and take turns. CPU is that of all processes of a server.
"""

from __future__ import annotations

import argparse
import gc
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.commands import edgechat
from bench.host import cores, raise_file_limit
from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import hello, upgrade
from bench.load.member import Member
from bench.measurement import measure_slice, settle_and_check
from bench.report.table import row
from bench.server import Server, serving
from bench.workloads.chat import SMALL

JOINS = 400  # connections in one round
ASKED = 200  # handshakes that are timed in one round
QUIET_S = 0.3


class Measured:
    """A server with so many workers, and the figures of each round."""

    def __init__(self, server: Server, workers: int) -> None:
        self.server, self.workers = server, workers
        self.deliveries: list[float] = []  # CPU each, in \u00b5s
        self.front: list[float] = []  # its share of that
        self.connections: list[float] = []  # CPU each, in \u00b5s
        self.fronts: list[float] = []  # of it the front's
        self.upgrades: list[float] = []  # ms from connecting to 101

    def forget(self) -> None:
        """What came so far was to warm up."""
        for figures in (self.deliveries, self.front, self.connections, self.fronts):
            figures.clear()

    def talk(self, seconds: float) -> None:
        """100 rooms of two."""
        with Clients(self.server.port) as clients:
            load = SMALL.gather(clients)
            measure_slice(load, self.server, SMALL.pace, seconds / 3)
            own = self.server.own_cpu_ns()
            figures = measure_slice(load, self.server, SMALL.pace, seconds)
            settle_and_check(load)
        self.deliveries.append(figures["cpu_us_per_delivery"])
        self.front.append((self.server.own_cpu_ns() - own) / 1e9 / figures["cpu_s"])

    def come_and_go(self) -> None:
        """Connections that say hello, are told `ready`, and leave."""
        all_before, own_before = self.server.cpu_ns(), self.server.own_cpu_ns()
        with Clients(self.server.port) as clients:
            clients.join([Member(f"r{n % 100}", hello(f"n{n}")) for n in range(JOINS)], at_once=20)
        time.sleep(QUIET_S)  # all are seen to have left
        self.connections.append((self.server.cpu_ns() - all_before) / JOINS / 1e3)
        self.fronts.append((self.server.own_cpu_ns() - own_before) / JOINS / 1e3)

    def shake_hands(self) -> None:
        """One after the other, while nothing else goes on."""
        times = [self._one_handshake(f"r{n % 100}") for n in range(ASKED)]
        self.upgrades.append(statistics.median(times) * 1e3)

    def _one_handshake(self, room: str) -> float:
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.sendall(upgrade(room, f"127.0.0.1:{self.server.port}"))
            answer = connection.recv(4096)
            if not answer.startswith(b"HTTP/1.1 101"):
                raise LoadError(f"the upgrade was answered {answer[:100]!r}")
            return time.perf_counter() - began

    def memory(self) -> float:
        """Of all its processes, in MB, what they share counted once for each."""
        pages = [int(open(f"/proc/{pid}/statm").read().split()[1])  # noqa: SIM115
                 for pid in (self.server.pid, *self.server.workers())]  # fmt: skip
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def ratio(one: list[float], many: list[float]) -> str:
    """The median of the rounds' ratios."""
    return f"{statistics.median(b / a for a, b in zip(one, many, strict=True)):.3f}"


def report(one: Measured, many: Measured) -> None:
    """A row a figure."""
    print(row(("", "1 process", f"front and {many.workers}", "ratio")))
    print(row(["---"] * 4))
    figures: dict[str, Callable[[Measured], list[float]]] = {
        "CPU a delivery, 100 \u00d7 2, \u00b5s": lambda m: m.deliveries,
        "of it the front": lambda m: m.front,
        "CPU a connection, \u00b5s": lambda m: m.connections,
        "of it the front, \u00b5s": lambda m: m.fronts,
        "connect \u2192 101, p50, ms": lambda m: m.upgrades,
    }
    for title, read in figures.items():
        first, second = read(one), read(many)
        cells = [f"{statistics.median(first):.3g}", f"{statistics.median(second):.3g}"]
        print(row((title, *cells, ratio(first, second))))
        least = min(first), min(second)  # on a busy machine: what the others disturbed least
        print(
            row(("least of the rounds", *map("{:.3g}".format, least), f"{least[1] / least[0]:.3f}"))
        )
    print(row(("memory, MB", f"{one.memory():.0f}", f"{many.memory():.0f}", "")))


def main() -> int:
    """Measure and print; 1 if a server did not serve the load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of talk in each round")
    asked = parser.parse_args()
    raise_file_limit()
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    gc.disable()
    try:
        with ExitStack() as stack:
            sides = []
            for count in (1, asked.workers):
                more = ("--workers", str(count), "--max-connections", "20000")
                make = lambda port, data, more=more: edgechat(port, data, *more)  # noqa: E731
                server = stack.enter_context(serving(make, core=server_core))
                side = Measured(server, count)
                side.talk(0.5)
                side.come_and_go()
                side.forget()
                sides.append(side)
            for number in range(asked.rounds):
                for side in sides[:: -1 if number % 2 else 1]:
                    side.talk(asked.seconds)
                    side.come_and_go()
                    side.shake_hands()
            report(*sides)
    except (LoadError, TimeoutError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
