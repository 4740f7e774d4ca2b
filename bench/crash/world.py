"""A server that is killed under load, its clients, and what they saw."""

from __future__ import annotations

import select
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.crash.power import Disk
from bench.crash.resuming_client import ResumingClient
from bench.history_reader import History
from bench.load.frames import upgrade
from bench.load.member import Member, Stage
from bench.server import Server

ROOM = "crash"
AT_LAST_S = 20.0
FILE = Path(f"data/rooms/public/{ROOM}.jsonl")


@dataclass
class World:
    """The clients, the server they come back to, and what has happened."""

    server: Server
    clients: list[ResumingClient]
    disk: Disk | None = None  # whose power is cut with the kill
    counts: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)

    def run(self, seconds: float, *, kill: bool, early: bool = False) -> None:
        """All clients reconnect and send; in the end the server is killed, or all is acknowledged.

        The seconds count from the first `ready`, or (early) from connecting, so that some are
        killed while they join and resume.
        """
        epoll, by_fd = select.epoll(), {}
        for client in self.clients:
            member = client.reconnect()
            member.connect(self.server.port, 0)
            by_fd[member.socket.fileno()] = client
            epoll.register(member.socket, select.EPOLLOUT)
        deadline = time.perf_counter() + (seconds if early else AT_LAST_S)
        counting = early
        while time.perf_counter() < deadline and (kill or not self.all_acknowledged()):
            for fd, _event in epoll.poll(max(0.0, deadline - time.perf_counter())):
                self.step(epoll, by_fd[fd])
            if not counting and any(client.ready for client in self.clients):
                deadline, counting = time.perf_counter() + seconds, True
        if kill:
            self.kill(by_fd)
        epoll.close()

    def kill(self, by_fd: dict[int, ResumingClient]) -> None:
        """Kill the server, after its disk where the power is cut.

        The server is stopped first. While ext4 is shut down, an `fsync` that is under way can
        return success though the append is not on the disk (25 of 300 times in a loop of `write`
        and `fsync` alone). With real power nobody would be told; a server that goes on would tell.
        """
        if self.disk is not None:
            self.server.pause()
            self.disk.cut()
        self.server.kill()
        self.read_the_rest(by_fd)
        if self.disk is not None:
            self.disk.restore()

    def kill_in_recovery(self, call: str, number: int) -> None:
        """Start the server, and let it die as it puts back what the journal has."""
        has_journal = any((self.server.data / FILE).parents[2].glob("journal/*.log"))
        is_dead = self.server.die_starting(call, number)
        self.counts["killed in a recovery"] += has_journal and is_dead
        if self.disk is not None:
            self.disk.cut()
            self.disk.restore()

    def step(self, epoll: select.epoll, client: ResumingClient) -> None:
        """One client has connected or receives something."""
        member = client.member
        if member.stage is Stage.CONNECTING:
            member.stage = Stage.UPGRADING
            epoll.modify(member.socket, select.EPOLLIN)
            member.socket.send(upgrade(ROOM, f"127.0.0.1:{self.server.port}"))
            return
        data = received(member)
        if data:
            client.receive(data)
        else:
            self.breaches.append(f"{client.name} was cut off by a running server")
            epoll.unregister(member.socket)

    def read_the_rest(self, by_fd: dict[int, ResumingClient]) -> None:
        """Read what the kernel had accepted before the kill: clients have seen it."""
        for client in by_fd.values():
            while client.member.stage is not Stage.CONNECTING and (data := received(client.member)):
                client.receive(data)

    def all_acknowledged(self) -> bool:
        """Whether every client has all its own lines back, and all have seen the same."""
        heads = {len(client.seen) for client in self.clients}
        quiet = all(client.ready and not client.outbox for client in self.clients)
        return quiet and len(heads) == 1

    def check(self, history: History) -> None:
        """Compare what clients saw and sent with the file."""
        tokens = history.tokens()
        stored = Counter(line.id for line in history.lines)
        for client in self.clients:
            self.breaches += [f"{client.name}: {breach}" for breach in client.breaches]
            if client.seen != tokens:
                self.breaches.append(f"{client.name} saw {len(client.seen)} of {len(tokens)} lines")
            for number in range(1, client.sent + 1):
                times = stored[f"{client.name}-{number}"]
                if times != 1:
                    self.breaches.append(f"{client.name}-{number} is stored {times} times")

    def look_at_file(self) -> None:
        """After a kill: count a torn tail; everything else must be whole."""
        file = self.server.data / FILE
        if not file.exists() or not file.stat().st_size:  # the journal may have what it lacks
            self.counts["killed before the first line"] += 1
            return
        with file.open("rb") as lines:
            lines.seek(-1, 2)
            self.counts["torn tails"] += lines.read() != b"\n"

    def all_breaches(self) -> int:
        """How many breaches so far."""
        return len(self.breaches) + sum(len(client.breaches) for client in self.clients)


def received(member: Member) -> bytes:
    """What there is to be read; nothing if the connection is at its end."""
    try:
        return member.socket.recv(1 << 18)
    except OSError:
        return b""
