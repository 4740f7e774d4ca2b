"""`kill -9` at random moments under load, with clients that resume: is anything lost or twice?

`python -m bench.crash --rounds 500 --clients 20`. In the end every client must have seen exactly
the lines of the file, whose chain is checked, and every message sent must be in it once.

With `--workers 3` a random worker is killed each time, and not the server.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.commands import edgechat
from bench.crash.power import Disk
from bench.crash.resuming_client import ResumingClient
from bench.crash.workers import WithWorkers
from bench.crash.world import AT_LAST_S, FILE, ROOM, World
from bench.history_reader import ChainError, read
from bench.host import free_port, raise_file_limit
from bench.server import Server

LONGEST_RUN_S = 0.2
# System calls of a recovery, and the how-manieth of its thread it is killed at.
RECOVERY = (("fadvise64", 1), ("fsync", 1), ("fsync", 2), ("fsync", 3), ("unlink", 1))


def run(world: World, rounds: int, seed: int, *, recoveries: bool) -> None:
    """So many runs that end by a kill, and one that ends when all is acknowledged.

    `recoveries`: some starts are killed as well, while they put back what the journal has.
    """
    chance = random.Random(seed)
    for number in range(rounds):
        world.run(chance.uniform(0.0, LONGEST_RUN_S), kill=True, early=chance.random() < 0.2)
        world.look_at_file()
        if recoveries and chance.random() < 0.4:
            for _ in range(chance.randint(1, 2)):
                world.kill_in_recovery(*chance.choice(RECOVERY))
        world.server.start_again()
        world.server.wait_listening()
        if number % 50 == 49:
            seen = len(world.clients[0].seen)
            print(
                f"  {number + 1} kills, {seen} lines, {world.all_breaches()} breaches", flush=True
            )
    for client in world.clients:
        client.sending = False
    world.run(AT_LAST_S, kill=False)
    world.server.stop()  # the file has all of it then
    try:
        world.check(read(world.server.data / FILE))
    except (ChainError, OSError) as error:
        world.breaches.append(f"the file: {error}")


def report(world: World, rounds: int, seconds: float) -> None:
    """The counts."""

    def total(figure: str) -> int:
        return sum(getattr(client, figure) for client in world.clients)

    print(f"{rounds} kills in {seconds:.0f} s ({seconds / rounds * 1e3:.0f} ms each), "
          f"{len(world.clients)} clients")  # fmt: skip
    print(f"lines stored: {len(world.clients[0].seen)}, sent: {total('sent')}, "
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
    parser.add_argument("--workers", type=int, default=1)
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
        more = ("--durability", asked.durability, "--workers", str(asked.workers))
        kind = Server if asked.workers == 1 else WithWorkers
        server = kind(edgechat(port, data, *more), port, data, None)
        stack.callback(Server.kill, server)
        clients = [ResumingClient(f"n{n}", ROOM, eager=n % 2 == 1) for n in range(asked.clients)]
        world = World(server, clients, disk)
        server.wait_listening()
        recoveries = asked.workers == 1 and shutil.which("strace") is not None
        run(world, asked.rounds, asked.seed, recoveries=recoveries)
    report(world, asked.rounds, time.perf_counter() - begin)
    return 1 if world.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
