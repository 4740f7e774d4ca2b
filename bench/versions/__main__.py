"""Compare the CPU per delivery of two versions of EdgeChat: `python -m bench.versions HEAD~5 .`

A version is a git revision or a folder; `.` is this working tree. The ratio is NEW to OLD: less
than 1 is less CPU. Two equal versions show how far it can be trusted on this machine.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
from contextlib import ExitStack

from bench.host import cores, raise_file_limit
from bench.load.errors import LoadError
from bench.report.table import row
from bench.versions.comparison import COMPARISONS, Comparison, Outcome, compare
from bench.versions.source import NoSuchVersion, checked_out

HEAD = ("workload", "new/old", "\u00b1", "quartiles", "slices of each", "old", "new", "core shared")


def workloads(text: str) -> list[str]:
    """Names with commas between them. Raises ArgumentTypeError."""
    names = text.split(",")
    unknown = [name for name in names if name not in COMPARISONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; there are {', '.join(COMPARISONS)}"
        )
    return names


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.versions", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--workload", type=workloads, default=["one", "ten", "small"],
                        help=f"with commas between them: {', '.join(COMPARISONS)}")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=12.0, help="of measuring each workload")
    parser.add_argument("--starts", type=int, default=3, help="fresh pairs of servers in that time")
    return parser.parse_args()


def cells(comparison: Comparison, outcome: Outcome) -> list[str]:
    """A row of the table."""
    low, middle, high = outcome.quartiles()
    old, new = statistics.median(outcome.old), statistics.median(outcome.new)
    return [comparison.title, f"**{middle:.3f}**", f"{outcome.uncertainty():.3f}",
            f"{low:.3f} to {high:.3f}", str(len(outcome.old)), f"{old:.2f} \u00b5s",
            f"{new:.2f} \u00b5s", f"{statistics.fmean(outcome.disturbed):.0%}"]  # fmt: skip


def main() -> int:
    """Print a row for each workload as it is measured; 1 if a server did not serve the load."""
    asked = arguments()
    raise_file_limit()
    load_core = cores()[1]
    os.sched_setaffinity(0, {load_core})
    gc.disable()
    try:
        with ExitStack() as stack:
            old = stack.enter_context(checked_out(asked.old))
            new = stack.enter_context(checked_out(asked.new))
            print(f"old: {old.title}, new: {new.title}\n\n{row(HEAD)}\n{row('---' for _ in HEAD)}")
            for name in asked.workload:
                outcome = compare(old, new, COMPARISONS[name],
                                  seconds=asked.seconds, starts=asked.starts)  # fmt: skip
                print(row(cells(COMPARISONS[name], outcome)), flush=True)
    except (NoSuchVersion, LoadError, TimeoutError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
