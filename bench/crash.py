"""`kill -9` at random moments under load, with clients that resume: is anything lost or twice?

`python -m bench.crash --rounds 500 --clients 20`. In the end every client must have seen exactly
the lines of the file, whose chain is checked, and everything said must be in it once.
"""

from __future__ import annotations

import argparse
import random
import select
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.chain import ChainError, History, read
from bench.crowd import Member, Stage
from bench.frame import upgrade
from bench.power import Disk
from bench.process import Server, free_port, raise_file_limit
from bench.resumer import Resumer
from bench.servers import edgechat

ROOM = "crash"
LONGEST_LIFE_S = 0.2
AT_LAST_S = 20.0
FILE = Path(f"data/rooms/public/{ROOM}.jsonl")


@dataclass
class World:
    """The clients, the server they come back to, and what has happened."""

    server: Server
    clients: list[Resumer]
    disk: Disk | None = None  # whose power is cut with the kill
    counts: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)

    def life(self, seconds: float, *, kill: bool, early: bool = False) -> None:
        """All come back and talk; in the end the server is killed, or all is said.

        The seconds count from the first `ready`, or (early) from connecting, so that some are
        killed while they join and resume.
        """
        epoll, by_fd = select.epoll(), {}
        for client in self.clients:
            member = client.come_back()
            member.connect(self.server.port, 0)
            by_fd[member.socket.fileno()] = client
            epoll.register(member.socket, select.EPOLLOUT)
        deadline = time.perf_counter() + (seconds if early else AT_LAST_S)
        counting = early
        while time.perf_counter() < deadline and (kill or not self.all_said()):
            for fd, _event in epoll.poll(max(0.0, deadline - time.perf_counter())):
                self.step(epoll, by_fd[fd])
            if not counting and any(client.ready for client in self.clients):
                deadline, counting = time.perf_counter() + seconds, True
        if kill:
            self.kill(by_fd)
        epoll.close()

    def kill(self, by_fd: dict[int, Resumer]) -> None:
        """The server's end, and its disk's where the power is cut."""
        if self.disk is not None:
            self.disk.cut()
        self.server.kill()
        self.hear_the_rest(by_fd)
        if self.disk is not None:
            self.disk.restore()

    def step(self, epoll: select.epoll, client: Resumer) -> None:
        """One client has connected, or hears something."""
        member = client.member
        if member.stage is Stage.CONNECTING:
            member.stage = Stage.UPGRADING
            epoll.modify(member.socket, select.EPOLLIN)
            member.socket.send(upgrade(ROOM, f"127.0.0.1:{self.server.port}"))
            return
        data = received(member)
        if data:
            client.hear(data)
        else:
            self.breaches.append(f"{client.name} was cut off by a living server")
            epoll.unregister(member.socket)

    def hear_the_rest(self, by_fd: dict[int, Resumer]) -> None:
        """What the kernel had taken before the kill has been sent, and so was seen."""
        for client in by_fd.values():
            while client.member.stage is not Stage.CONNECTING and (data := received(client.member)):
                client.hear(data)

    def all_said(self) -> bool:
        """Whether every client has everything it said back, and all have seen the same."""
        heads = {len(client.seen) for client in self.clients}
        quiet = all(client.ready and not client.outbox for client in self.clients)
        return quiet and len(heads) == 1

    def check(self, history: History) -> None:
        """Compare what was seen and said with the file."""
        tokens = history.tokens()
        stored = Counter(line.id for line in history.lines)
        for client in self.clients:
            self.breaches += [f"{client.name}: {breach}" for breach in client.breaches]
            if client.seen != tokens:
                self.breaches.append(f"{client.name} saw {len(client.seen)} of {len(tokens)} lines")
            for number in range(1, client.said + 1):
                times = stored[f"{client.name}-{number}"]
                if times != 1:
                    self.breaches.append(f"{client.name}-{number} is stored {times} times")


def received(member: Member) -> bytes:
    """What there is to be read; nothing if the connection is at its end."""
    try:
        return member.socket.recv(1 << 18)
    except OSError:
        return b""


def look_at_file(world: World) -> None:
    """After a kill: count a torn tail; everything else must be whole."""
    file = world.server.data / FILE
    if not file.exists():
        world.counts["killed before the first line"] += 1
        return
    with file.open("rb") as lines:
        lines.seek(-1, 2)
        world.counts["torn tails"] += lines.read() != b"\n"


def run(world: World, rounds: int, seed: int) -> None:
    """So many lives that end by a kill, and one in which all is said to the end."""
    chance = random.Random(seed)
    for number in range(rounds):
        world.life(chance.uniform(0.0, LONGEST_LIFE_S), kill=True, early=chance.random() < 0.2)
        look_at_file(world)
        world.server.start_again()
        world.server.wait_listening()
        if number % 50 == 49:
            seen = len(world.clients[0].seen)
            print(f"  {number + 1} kills, {seen} lines, {breached(world)} breaches", flush=True)
    for client in world.clients:
        client.talking = False
    world.life(AT_LAST_S, kill=False)
    try:
        world.check(read(world.server.data / FILE))
    except (ChainError, OSError) as error:
        world.breaches.append(f"the file: {error}")


def breached(world: World) -> int:
    """How many breaches so far."""
    return len(world.breaches) + sum(len(client.breaches) for client in world.clients)


def report(world: World, rounds: int, seconds: float) -> None:
    """The counts."""

    def total(figure: str) -> int:
        return sum(getattr(client, figure) for client in world.clients)

    print(f"{rounds} kills in {seconds:.0f} s ({seconds / rounds * 1e3:.0f} ms each), "
          f"{len(world.clients)} clients")  # fmt: skip
    print(f"lines stored: {len(world.clients[0].seen)}, said: {total('said')}, "
          f"resent: {total('resent')}, recognised by id: {total('repeats')}, "
          f"refused as the disk was gone: {total('refused')}")  # fmt: skip
    print(f"resumed: {total('recoveries')} times; "
          + ", ".join(f"{what}: {count}" for what, count in world.counts.items()))  # fmt: skip
    print(f"breaches (lost, twice, forked, cut off): {len(world.breaches)}")
    for breach in world.breaches[:20]:
        print(f"  {breach}")


def main() -> int:
    """Run, report, and say by the exit status whether all promises held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--durability", choices=("os", "disk"), default="os")
    parser.add_argument("--power", action="store_true", help="cut a disk's power too (as root)")
    asked = parser.parse_args()
    if asked.power:
        asked.durability = "disk"
    raise_file_limit()
    print(f"seed {asked.seed}")
    begin = time.perf_counter()
    with ExitStack() as stack:
        disk = stack.enter_context(Disk()) if asked.power else None
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="edgechat-crash-"))
        port, data = free_port(), disk.path if disk else Path(folder)
        server = Server(edgechat(port, data, "--durability", asked.durability), port, data, None)
        stack.callback(server.kill)
        clients = [Resumer(f"n{n}", ROOM, eager=n % 2 == 1) for n in range(asked.clients)]
        world = World(server, clients, disk)
        server.wait_listening()
        run(world, asked.rounds, asked.seed)
    report(world, asked.rounds, time.perf_counter() - begin)
    return 1 if world.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
