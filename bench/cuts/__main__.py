"""Connections cut at random bytes, thousands of times, between real clients and a server.

`python -m bench.cuts --cuts 10000`. In the end every client must have heard each line of the file
since it came, in order and once, and each message must be in the file once. Cuts fall anywhere:
in the handshake, in a frame, in a resume, in a request of HTTP, which every fourth client falls
back to; each end hears of it by a reset, an end, or a half-close.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import trio

from bench.commands import edgechat
from bench.cuts.guest import Guest
from bench.cuts.relay import Relay
from bench.history_reader import History, read
from bench.host import free_port, raise_file_limit
from bench.server import Server
from edgechat.client import room_url

ROOM = "cuts"
FILE = Path(f"data/rooms/public/{ROOM}.jsonl")
AT_LAST_S = 60.0  # for the last answers, once nothing is cut any more


async def run(server: Server, relay: Relay, guests: list[Guest]) -> list[str]:
    """Let them talk until so many connections were cut; returns what went wrong on the way."""
    stop, leave = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(relay.serve)
        url = room_url(f"http://127.0.0.1:{port}", ROOM)
        async with trio.open_nursery() as room:
            for guest in guests:
                room.start_soon(guest.stay, url, stop, leave)
            await show_until_done(relay)
            stop.set()
            with trio.move_on_after(AT_LAST_S) as patience:
                while not all_alike(guests):  # noqa: ASYNC110  # no event says it: all have a part
                    await trio.sleep(0.1)
            leave.set()
            if patience.cancelled_caught:
                room.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    return ["some had not heard all at the end"] if patience.cancelled_caught else []


async def show_until_done(relay: Relay) -> None:
    """A line of progress every ten seconds."""
    while not relay.done.is_set():
        with trio.move_on_after(10.0):
            await relay.done.wait()
        print(f"  {relay.cuts} connections cut", flush=True)


def all_alike(guests: list[Guest]) -> bool:
    """All is acknowledged, and all have heard the newest line."""
    ends = {guest.tokens[-1] if guest.tokens else None for guest in guests}
    return all(guest.is_done for guest in guests) and len(ends) == 1


def check(history: History, guests: list[Guest]) -> list[str]:
    """Compare what each has heard and said with the file."""
    tokens = history.tokens()
    stored = Counter(line.id for line in history.lines)
    places = {line.id: (line.seq, line.h) for line in history.lines}
    found = []
    for guest in guests:
        found += [f"{guest.name}: {breach}" for breach in guest.breaches]
        first = guest.tokens[0][0] if guest.tokens else 1
        if guest.tokens != tokens[first - 1 :]:
            found.append(f"{guest.name} heard {len(guest.tokens)} of {len(tokens)} lines")
        for id in guest.said:
            if stored[id] != 1:
                found.append(f"{id} is stored {stored[id]} times")
            if guest.acknowledged.get(id) != places.get(id):
                found.append(f"{id} was acknowledged in another place")
    return found


def report(relay: Relay, guests: list[Guest], lines: int, seconds: float) -> None:
    """The counts."""
    counts: Counter[str] = sum((guest.counts for guest in guests), Counter())
    print(f"{relay.cuts} connections cut in {seconds:.0f} s, {len(guests)} clients, {lines} lines")
    print(", ".join(f"{what}: {count}" for what, count in sorted(counts.items())))


def main() -> int:
    """Run, report, and say by the exit status whether all promises held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    asked = parser.parse_args()
    raise_file_limit()
    print(f"seed {asked.seed}")
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="edgechat-cuts-") as folder:
        port, data = free_port(), Path(folder)
        server = Server(edgechat(port, data), port, data, None)
        try:
            server.wait_listening()
            relay = Relay(port, random.Random(asked.seed), asked.cuts)
            guests = [Guest(f"guest-{n}", n % 4 == 0) for n in range(asked.clients)]
            breaches = trio.run(run, server, relay, guests)
            server.stop()
            history = read(data / FILE)
        finally:
            server.kill()
    breaches += check(history, guests)
    report(relay, guests, len(history.lines), time.perf_counter() - begin)
    print(f"breaches (lost, twice, out of order, in another place): {len(breaches)}")
    for breach in breaches[:20]:
        print(f"  {breach}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
