"""What use from outside costs: `python -m bench.outside`.

CPU of the server for each delivery, to members by WebSocket and to followers by events, one
message at a time in one room; and for each post, on a connection that is kept and on one of its
own, beside Node's `http` that does the least there is to do. Each measurement has a fresh server;
the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import commands
from bench.host import cores, raise_file_limit
from bench.load.frames import hello, text_frame, upgrade
from bench.server import MakeCommand, Server, serving

READERS, MESSAGES, POSTS = 200, 500, 1_000
MARK = b'"seq":'
TEXT = "x" * 60
Connect = Callable[[int], socket.socket]


def dial(port: int, request: bytes) -> socket.socket:
    """A connection on which something was asked."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(request)
    return connection


def read_until(connection: socket.socket, mark: bytes) -> None:
    """Until it came."""
    data = b""
    while mark not in data:
        piece = connection.recv(65_536)
        if not piece:
            raise EOFError(data[-200:])
        data += piece


def member(port: int) -> socket.socket:
    """By WebSocket."""
    connection = dial(port, upgrade("lobby", "localhost"))
    read_until(connection, b"\r\n\r\n")
    connection.sendall(hello("member", v=2, backlog=0))
    read_until(connection, b'"ready":true')
    return connection


def follower(port: int) -> socket.socket:
    """By server-sent events."""
    request = b"GET /api/room/lobby/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = dial(port, request)
    read_until(connection, b"\n\n")
    return connection


class Readers:
    """Connections whose lines are counted."""

    def __init__(self, connections: Sequence[socket.socket]) -> None:
        self._epoll = select.epoll()
        self._by_fd = {one.fileno(): one for one in connections}
        for connection in connections:
            connection.setblocking(False)
            self._epoll.register(connection, select.EPOLLIN)

    def settle(self) -> None:
        """Read what is there: comings and goings."""
        while events := self._epoll.poll(0.3):
            for fd, _ in events:
                self._by_fd[fd].recv(1 << 18)

    def hear(self, lines: int) -> None:
        """Until that many came, all together."""
        while lines > 0:
            for fd, _ in self._epoll.poll(10):
                lines -= self._by_fd[fd].recv(1 << 18).count(MARK)
        if lines:
            raise AssertionError("a line came twice")


def delivery(connect: Connect, server: Server) -> float:
    """Microseconds of CPU for each delivery."""
    with ExitStack() as stack:
        sender = stack.enter_context(member(server.port))
        connections = [stack.enter_context(connect(server.port)) for _ in range(READERS)]
        readers = Readers([sender, *connections])
        readers.settle()
        begin = server.cpu_ns()
        for number in range(MESSAGES):
            sender.sendall(text_frame(b'{"message":"%d %b"}' % (number, TEXT.encode())))
            readers.hear(READERS + 1)
        return (server.cpu_ns() - begin) / 1e3 / MESSAGES / (READERS + 1)


BODY = json.dumps({"name": "ci", "message": TEXT}).encode()
POST = (
    b"POST /api/room/lobby/messages HTTP/1.1\r\nHost: localhost\r\nConnection: %b\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


def posting(server: Server) -> float:
    """Microseconds of CPU for each post, on one connection, with nobody who listens."""
    request = POST % (b"keep-alive", len(BODY)) + BODY
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:

        def post() -> None:
            connection.sendall(request)
            read_until(connection, MARK)

        return cost_of(post, server)


def posting_apart(server: Server) -> float:
    """The same, with a connection for each."""
    request = POST % (b"close", len(BODY)) + BODY

    def post() -> None:
        with dial(server.port, request) as connection:
            read_until(connection, MARK)

    return cost_of(post, server)


def cost_of(post: Callable[[], None], server: Server) -> float:
    """Microseconds of CPU for each of many posts, behind some that warm the server up."""
    for _ in range(POSTS // 10):
        post()
    begin = server.cpu_ns()
    for _ in range(POSTS):
        post()
    return (server.cpu_ns() - begin) / 1e3 / POSTS


def node(port: int, data: Path) -> list[str]:
    """The least there is to do, on Node."""
    return ["node", str(commands.PEERS / "node_post.mjs"), str(port), str(data)]


def edgechat(port: int, data: Path) -> list[str]:
    """EdgeChat."""
    return commands.edgechat(port, data)


MEASUREMENTS: dict[str, tuple[MakeCommand, Callable[[Server], float]]] = {
    "delivery to a member": (edgechat, lambda server: delivery(member, server)),
    "delivery to a follower": (edgechat, lambda server: delivery(follower, server)),
    "post": (edgechat, posting),
    "post, Node": (node, posting),
    "post, each by a connection": (edgechat, posting_apart),
    "post, each by a connection, Node": (node, posting_apart),
}

BESIDE = {
    "delivery to a follower": "delivery to a member",
    "post": "post, Node",
    "post, each by a connection": "post, each by a connection, Node",
}


def main() -> None:
    """Measure in rounds, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="measurements whose names begin so")
    args = parser.parse_args()
    chosen = {name: one for name, one in MEASUREMENTS.items() if name.startswith(args.only)}
    raise_file_limit()
    core = cores()[0]
    os.sched_setaffinity(0, {cores()[1]})
    figures: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(args.rounds):
        for name, (command, measure) in chosen.items():
            with serving(command, core=core) as server:
                figures[name].append(measure(server))
    for name, measured in figures.items():
        print(f"{name}: {median(measured):.1f} µs of CPU")
    for what, beside in BESIDE.items():
        if what in figures and beside in figures:
            pairs = zip(figures[what], figures[beside], strict=True)
            print(f"{what} / {beside}: {median(a / b for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
