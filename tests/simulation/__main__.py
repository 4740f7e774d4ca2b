"""`python -m tests.simulation --runs N [--seed S]`: play many worlds, or one again."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter

from .world import Failure, World


def main() -> int:
    """0: every promise was kept; 1: one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many worlds")
    parser.add_argument("--seed", help="the first world's seed; the others follow from it")
    parser.add_argument("--actions", type=int, default=40, help="at most so many in each")
    parser.add_argument("--trace", action="store_true", help="print all that happens")
    options = parser.parse_args()
    first = options.seed or secrets.token_hex(4)
    started, tally = time.perf_counter(), Counter[str]()
    for number in range(options.runs):
        seed = first if number == 0 else f"{first}.{number}"
        if not play(seed, options.actions, tally, trace=options.trace):
            return 1
        _tell(number + 1, options.runs, started)
    for what, count in sorted(tally.items()):
        print(f"{count:10,}  {what}")
    return 0


def play(seed: str, most: int, tally: Counter[str], *, trace: bool) -> bool:
    """Play one world; print what there is to know of one in which a promise was broken."""
    world = World(seed, None, most)
    try:
        story = world.run()
    except Failure as failure:
        story = world.story
        print(f"\nseed {seed}: {failure}\n\nThe last that happened:")
        print("\n".join(f"  {event}" for event in story.events[-30:]))
        print("\nactions:")
        print("\n".join(f"  {action}," for action in story.actions))
        print(f"\nPlay it again: python -m tests.simulation --seed {seed} --actions {most}")
        return False
    finally:
        if trace:
            print("\n".join(story.events))
    tally.update(story.tally)
    return True


def _tell(done: int, runs: int, started: float) -> None:
    if sys.stderr.isatty() or done == runs or done % 100 == 0:
        rate = done / (time.perf_counter() - started)
        end = "\r" if sys.stderr.isatty() and done < runs else "\n"
        print(f"{done:,} of {runs:,} worlds, {rate:.1f} a second", end=end, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
