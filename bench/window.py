"""Which window is fair to all? Deliveries a second of each server with 10 senders, by window.

`python -m bench.window`
"""

from __future__ import annotations

import argparse
import statistics
import sys

from bench.candidates import CANDIDATES
from bench.run import child

WINDOWS = (1, 2, 4, 8, 16)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--server", action="append", choices=CANDIDATES,
                        help="only this one (can be repeated)")  # fmt: skip
    asked = parser.parse_args()
    usual = [c.key for c in CANDIDATES.values() if not c.to_disk]
    servers = [CANDIDATES[key] for key in asked.server or usual if not CANDIDATES[key].missing()]
    print("| window | " + " | ".join(c.title for c in servers) + " |")
    print("| --- |" + " --- |" * len(servers))
    for window in WINDOWS:
        cells = [rate(c.key, window, asked.seconds, asked.repeats) for c in servers]
        print(f"| {window} | " + " | ".join(cells) + " |", flush=True)
    return 0


def rate(server: str, window: int, seconds: float, repeats: int) -> str:
    """The median, in thousands a second."""
    runs = [child(server, "ten", seconds, "--window", str(window)) for _ in range(repeats)]
    failures = [run for run in runs if "failed" in run]
    if failures:
        return "failed"
    return f"{statistics.median(run['deliveries_per_s'] for run in runs) / 1e3:,.0f}k/s"


if __name__ == "__main__":
    sys.exit(main())
