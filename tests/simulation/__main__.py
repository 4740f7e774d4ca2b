"""`python -m tests.simulation --runs N [--seed S]`: play many worlds, or one again."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import Pool

from edgechat.settings import Durability

from .world import Failure, World


def main() -> int:
    """0: every promise was kept; 1: one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many worlds")
    parser.add_argument("--seed", help="the first world's; the others' follow from it")
    parser.add_argument("--actions", type=int, default=40, help="at most so many in each")
    parser.add_argument("--durability", choices=["os", "disk"], help="not left to the seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--trace", action="store_true", help="print all that happens")
    options = parser.parse_args()
    first = options.seed or secrets.token_hex(4)
    seeds = [first, *(f"{first}.{number}" for number in range(1, options.runs))]
    print(f"seed {first}", file=sys.stderr)
    started, tally = time.perf_counter(), Counter[str]()
    playing = partial(
        play, most=options.actions, durability=options.durability, trace=options.trace
    )
    with Pool(min(options.jobs, len(seeds))) as pool:
        played = pool.imap(playing, seeds)
        for done, (text, met) in enumerate(played, 1):
            if text:
                print(f"\n{text}")
            if met is None:
                return 1
            tally += met
            _tell(done, len(seeds), started)
    for what, count in sorted(tally.items()):
        print(f"{count:10,}  {what}")
    return 0


def play(
    seed: str, most: int, durability: Durability | None, *, trace: bool
) -> tuple[str, Counter[str] | None]:
    """Play one world. Returns what to print, and what was met; None where a promise was broken."""
    world = World(seed, None, most, durability)
    try:
        story = world.run()
    except Failure as failure:
        return _report(world, seed, most, durability, failure), None
    return "\n".join(story.events) if trace else "", story.tally


def _report(
    world: World, seed: str, most: int, durability: Durability | None, failure: Failure
) -> str:
    events = "\n".join(f"  {event}" for event in world.story.events[-30:])
    actions = "\n".join(f"  {action}," for action in world.story.actions)
    forced = f" --durability {durability}" if durability else ""
    return (
        f"seed {seed}: {failure}\n\nThe last that happened:\n{events}\n\nactions:\n{actions}\n\n"
        f"Play it again: python -m tests.simulation --seed {seed} --actions {most}{forced}"
    )


def _tell(done: int, runs: int, started: float) -> None:
    if sys.stderr.isatty() or done == runs or done % 100 == 0:
        rate = done / (time.perf_counter() - started)
        end = "\r" if sys.stderr.isatty() and done < runs else "\n"
        print(f"{done:,} of {runs:,} worlds, {rate:.1f} a second", end=end, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
