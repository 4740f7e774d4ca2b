"""Long histories: opening a room of a million lines, a page from anywhere in it, `verify`, and
what open rooms with nobody in them hold.
"""

from __future__ import annotations

import http.client
import random
import resource
import statistics
import subprocess
import time
from array import array
from pathlib import Path

from bench import story
from bench.crowd import Crowd, LoadError, Member
from bench.frame import hello
from bench.measurement import Figures, Stretch
from bench.process import Server
from bench.servers import edgechat, edgechat_program

PAGES, PAGE_LINES, BACKLOG = 50, 100, 100
ROOM_LINES = 200


def patient(port: int, data: Path) -> list[str]:
    """EdgeChat that keeps a room open for long after the last member left."""
    return edgechat(port, data, "--room-idle", "3600")


def rooms(server: Server) -> Path:
    """Where the server keeps its public rooms."""
    return server.data / "data/rooms/public"


def long_room(server: Server, lines: int) -> Figures:
    """Everything about one long history."""
    server.stop()
    file = rooms(server) / "long.jsonl"
    places = story.write(file, "long", lines)
    start(server)
    cold = opening(server)
    pages = [page(server, file, places, number) for number in spread_over(lines)]
    server.stop()
    start(server)
    opening(server, room="another")
    return {
        "open_cpu_ms": cold,
        "open_warm_cpu_ms": opening(server),
        "page_cpu_ms": statistics.fmean(pages),
        "page_max_cpu_ms": max(pages),
    } | verify(server, file)


def start(server: Server) -> None:
    """Start it again, and return when it has done all that it does at start."""
    server.start_again()
    server.wait_listening()
    settled(server)


def spread_over(lines: int) -> list[int]:
    """Places to look at: both ends, and anywhere between them."""
    return [1, lines, *random.Random(4).sample(range(1, lines), PAGES)]


def opening(server: Server, room: str = "long") -> float:
    """CPU of the server, in ms, until a first member has the backlog and `ready`."""
    crowd = Crowd(server.port)
    stretch = Stretch.begin(server)
    member = Member(room, hello("first"), keep=True)
    crowd.join([member])
    cpu = stretch.end()["cpu_s"]
    crowd.close()
    sent = bytes(member.kept).count(b'"message":')
    if room == "long" and sent != BACKLOG:
        raise LoadError(f"{sent} lines of backlog, not {BACKLOG}")
    return cpu * 1e3


def page(server: Server, file: Path, places: array[int], number: int) -> float:
    """CPU of the server, in ms, for the page around a line; its bytes must be the file's."""
    stretch = Stretch.begin(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", f"/api/room/long/history?around={number}&limit={PAGE_LINES}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    cpu = stretch.end()["cpu_s"]
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
    command = [edgechat_program(), "verify", "--data", str(server.data / "data"), "long"]
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode == 2:
        return {}  # a version that has no such command
    if done.returncode:
        raise LoadError(f"verify found fault: {(done.stdout + done.stderr)[-300:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"verify_mb_per_s": file.stat().st_size / 1e6 / cpu}


def open_rooms(server: Server, count: int) -> Figures:
    """Memory of an open room with a history and nobody in it, beyond its recent lines."""
    server.stop()
    size = 0
    for number in range(count):
        size += story.write(rooms(server) / f"room{number}.jsonl", f"room{number}", ROOM_LINES)[-1]
    start(server)
    visit(server, "warm", 50)
    before = server.memory()
    visit(server, "room", count)
    held = (server.memory() - before) / count / 1024
    recent = size / count / 1024
    return {"open_room_kib": held, "recent_lines_kib": recent, "beyond_kib": held - recent}


def visit(server: Server, room: str, count: int) -> None:
    """One member comes into each of so many rooms, and goes."""
    crowd = Crowd(server.port)
    crowd.join([Member(f"{room}{number}", hello("visitor")) for number in range(count)])
    crowd.settle()
    crowd.close()
    settled(server)


def settled(server: Server) -> None:
    """Return when the server has nothing more to do."""
    while True:
        before = server.cpu_ns()
        time.sleep(0.3)
        if server.cpu_ns() - before < 3_000_000:
            return
