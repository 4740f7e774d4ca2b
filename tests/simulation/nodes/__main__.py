"""`python -m tests.simulation.nodes --runs N [--seed S]`: play many worlds, or one again."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import Pool

from ..world import Failure
from .world import World


def main() -> int:
    """0: every promise was kept; 1: one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.nodes", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many worlds")
    parser.add_argument("--seed", help="the first world's; the others' follow from it")
    parser.add_argument("--actions", type=int, default=25, help="at most so many in each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--trace", action="store_true", help="print all that happens")
    options = parser.parse_args()
    first = options.seed or secrets.token_hex(4)
    seeds = [first, *(f"{first}.{number}" for number in range(1, options.runs))]
    print(f"seed {first}", file=sys.stderr)
    started, tally = time.perf_counter(), Counter[str]()
    playing = partial(play, most=options.actions, trace=options.trace)
    with Pool(min(options.jobs, len(seeds))) as pool:
        for done, (text, met) in enumerate(pool.imap(playing, seeds, chunksize=1), 1):
            if text:
                print(f"\n{text}")
            if met is None:
                return 1
            tally += met
            if done == len(seeds) or done % 100 == 0:
                rate = done / (time.perf_counter() - started)
                print(f"{done:,} of {len(seeds):,} worlds, {rate:.1f} a second", file=sys.stderr)
    for what, count in sorted(tally.items()):
        print(f"{count:10,}  {what}")
    return 0


def play(seed: str, most: int, *, trace: bool) -> tuple[str, Counter[str] | None]:
    """Play one world. Returns what to print, and what was met; None where a promise was broken."""
    world = World(seed, None, most)
    try:
        story = world.run()
    except Failure as failure:
        events = "\n".join(f"  {event}" for event in world.story.events[-60:])
        actions = "\n".join(f"  {action}," for action in world.story.actions)
        again = f"python -m tests.simulation.nodes --seed {seed} --actions {most} --trace"
        return f"seed {seed}: {failure}\n\n{events}\n\nactions:\n{actions}\n\n{again}", None
    return "\n".join(story.events) if trace else "", story.tally


if __name__ == "__main__":
    sys.exit(main())
