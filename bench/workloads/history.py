"""A long history: opening the room, a page from anywhere in it, `verify`."""

from __future__ import annotations

import http.client
import random
import resource
import statistics
import subprocess
from array import array
from pathlib import Path

from bench.history_writer import write_history
from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import hello
from bench.load.member import Member
from bench.measurement import Figures, Interval
from bench.paths import edgechat_program
from bench.server import Server
from bench.workloads.stored_rooms import public_rooms, restart
from bench.workloads.workload import Run, Workload

ROOM = "long"
PAGES, PAGE_LINES, BACKLOG = 50, 100, 100


def long_room(server: Server, lines: int) -> Figures:
    """Everything about one long history."""
    server.stop()
    file = public_rooms(server) / f"{ROOM}.jsonl"
    places = write_history(file, ROOM, lines)
    restart(server)
    cold = opening(server)
    pages = [page(server, file, places, number) for number in spread_over(lines)]
    server.stop()
    restart(server)
    opening(server, room="another")
    return {
        "open_cpu_ms": cold,
        "open_warm_cpu_ms": opening(server),
        "page_cpu_ms": statistics.fmean(pages),
        "page_max_cpu_ms": max(pages),
    } | verify(server, file)


def spread_over(lines: int) -> list[int]:
    """Places to look at: both ends, and anywhere between them."""
    return [1, lines, *random.Random(4).sample(range(1, lines), PAGES)]


def opening(server: Server, room: str = ROOM) -> float:
    """CPU of the server, in ms, until a first member has the backlog and `ready`."""
    member = Member(room, hello("first"), keep=True)
    with Clients(server.port) as clients:
        interval = Interval.begin(server)
        clients.join([member])
        cpu = interval.end()["cpu_s"]
    sent = bytes(member.kept).count(b'"message":')
    if room == ROOM and sent != BACKLOG:
        raise LoadError(f"{sent} lines of backlog, not {BACKLOG}")
    return cpu * 1e3


def page(server: Server, file: Path, places: array[int], number: int) -> float:
    """CPU of the server, in ms, for the page around a line; its bytes must be the file's."""
    interval = Interval.begin(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", f"/api/room/{ROOM}/history?around={number}&limit={PAGE_LINES}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    cpu = interval.end()["cpu_s"]
    if answer.status != 200:
        raise LoadError(f"a page was answered {answer.status}: {body[:200]!r}")
    check_page(body, file, places, number)
    return cpu * 1e3


def check_page(body: bytes, file: Path, places: array[int], number: int) -> None:
    """A page is lines of the file, byte for byte, and the one asked for is among them."""
    count = body.count(b"\n")
    first = int(body[len(b'{"seq":') :].split(b",")[0])
    with file.open("rb") as stored:
        stored.seek(places[first - 1])
        expected = stored.read(places[first - 1 + count] - places[first - 1])
    if body != expected or not first <= number < first + count:
        raise LoadError(f"the page around {number}: {count} lines from {first}, not the file's")


def verify(server: Server, file: Path) -> Figures:
    """How fast `edgechat verify` goes through the file, in MB a second of its CPU time."""
    server.stop()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [edgechat_program(), "verify", "--data", str(server.data / "data"), ROOM]
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode == 2:
        return {}  # a version that has no such command
    if done.returncode:
        raise LoadError(f"verify found fault: {(done.stdout + done.stderr)[-300:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"verify_mb_per_s": file.stat().st_size / 1e6 / cpu}


def run(lines: int) -> Run:
    """The workload with a history of so many lines."""
    return lambda server, _candidate, _seconds: long_room(server, lines)


WORKLOADS = (
    Workload("history", "a room of 1,000,000 lines", run(1_000_000), run(100_000),
             floor=False, peers=False, rounds=1),
)  # fmt: skip
