"""What it costs to accept a connection that is reset, by how many addresses are known.

`python -m bench.accepts`. It is run in a network namespace of its own, in which each address of
10.0.0.0/8 is this machine's: on loopback no limit by address holds. That needs `unshare` and `ip`
and the right to use them.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from bench.commands import edgechat
from bench.host import cores, raise_file_limit
from bench.report.table import row
from bench.server import Server, serving

ADDRESSES = (5_000, 50_000, 200_000)
HOST = "10.255.0.1"
INSIDE = "EDGECHAT_BENCH_INSIDE"
PREPARE = f'ip link set lo up && ip route add local 10.0.0.0/8 dev lo && {INSIDE}=1 exec "$@"'
WAYS = (("unshare", "--net"), ("unshare", "--net", "--map-root-user"))
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen by `connect`, which knows more
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset
SETTLE_S = 0.3


class Manner(NamedTuple):
    """How long each connection stays, and what it says."""

    title: str
    others: int  # are opened before it is reset
    says: bytes


MANNERS = (
    Manner("reset at once", 0, b""),
    Manner("reset after 200 others", 200, b""),
    Manner("reset after 200 others, half a head sent", 200, b"GET / HTTP/1.1\r\nHost:"),
)


class Sample(NamedTuple):
    """Of one slice."""

    cpu_us: float  # of the server, for each connection
    a_second: float
    server_share: float  # of its core that the server had
    load_share: float


def addresses(first: int, count: int) -> Iterator[str]:
    """So many of 10.1.0.0 and on."""
    for number in range(first, first + count):
        yield f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def come_and_go(port: int, sources: Iterator[str], manner: Manner) -> int:
    """Open a connection from each source, and reset it; says how many."""
    goal, count = (HOST, port), 0
    opened: deque[socket.socket] = deque()
    for source in sources:
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.bind((source, 0))
        connection.connect(goal)
        if manner.says:
            with contextlib.suppress(OSError):  # it may have been refused
                connection.send(manner.says)
        opened.append(connection)
        if len(opened) > manner.others:
            opened.popleft().close()
        count += 1
    for connection in opened:
        connection.close()
    return count


def measure(server: Server, sources: Iterator[str], manner: Manner) -> Sample:
    """One slice; it ends when the server has seen them all."""
    began, cpu, own = time.perf_counter(), server.cpu_ns(), time.process_time_ns()
    count = come_and_go(server.port, sources, manner)
    while True:
        seconds, used = time.perf_counter() - began, server.cpu_ns()
        own_used = time.process_time_ns() - own
        time.sleep(SETTLE_S)
        if server.cpu_ns() - used < 5e6:  # it rests: what came last is dealt with
            break
    used = server.cpu_ns() - cpu
    return Sample(
        used / count / 1e3, count / seconds, used / 1e9 / seconds, own_used / 1e9 / seconds
    )


def fill(server: Server, known: int, wanted: int) -> None:
    """Let the server know of so many addresses."""
    come_and_go(server.port, addresses(known, wanted - known), MANNERS[0])


def report(known: int, manner: Manner, samples: Sequence[Sample]) -> None:
    """A row."""
    middle = [statistics.median(column) for column in zip(*samples, strict=True)]
    cpu, rate, share, load = middle
    print(row((f"{known:,}", manner.title, f"{cpu:.1f}", f"{1e6 / cpu:,.0f}", f"{rate:,.0f}",
               f"{share:.2f}", f"{load:.2f}")), flush=True)  # fmt: skip


def run(asked: argparse.Namespace) -> None:
    """In the namespace."""
    raise_file_limit()
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    gc.disable()
    more = ("--host", "0.0.0.0", "--max-opened-per-minute", "1000000", *asked.option)
    make = lambda port, data: edgechat(port, data, *more)  # noqa: E731
    print(row(("addresses", "each is", "server's CPU, µs", "a core's worth/s", "reached/s",
               "server_share", "load_share")))  # fmt: skip
    print(row(["---"] * 7))
    with serving(make, core=server_core) as server:
        time.sleep(1.0)  # what it imports after it listens
        known = 0
        for wanted in asked.addresses:
            fill(server, known, wanted)
            known = wanted
            step = max(1, known // asked.connections)
            every = cycle(islice(addresses(0, known), 0, None, step))
            for manner in MANNERS:
                samples = [
                    measure(server, islice(every, asked.connections), manner)
                    for _ in range(asked.rounds)
                ]
                report(known, manner, samples)


def namespace() -> tuple[Sequence[str], str]:
    """What runs a command in a namespace of its own; or why there is none."""
    why = ""
    for way in WAYS:
        command = (*way, "sh", "-c", PREPARE, "sh")
        try:
            tried = subprocess.run([*command, "true"], capture_output=True, text=True)
        except OSError as error:
            return (), str(error)
        if tried.returncode == 0:
            return command, ""
        why = tried.stderr.strip()
    return (), why


def main() -> int:
    """Measure and print; 1 where there is no namespace to be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, nargs="+", default=ADDRESSES)
    parser.add_argument("--connections", type=int, default=10_000, help="in each slice")
    parser.add_argument("--rounds", type=int, default=5, help="slices of each")
    parser.add_argument("--option", action="append", default=[], help="one more for the server")
    asked = parser.parse_args()
    if INSIDE in os.environ:
        run(asked)
        return 0
    found, why = namespace()
    if why:
        print(f"A network namespace can't be had here: {why}", file=sys.stderr)
        return 1
    return subprocess.run([*found, sys.executable, "-m", "bench.accepts", *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
