"""`python -m bench`: measure EdgeChat and its peers, print the tables, write them down."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from bench.candidates import CANDIDATES
from bench.host import raise_file_limit
from bench.paths import HERE
from bench.report.about import about
from bench.report.chart import chart
from bench.report.page import report
from bench.report.results import Results
from bench.run import Plan, available, possible
from bench.workloads.catalogue import GROUPS, USUAL, WORKLOADS, chosen


def arguments(argv: list[str]) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workload", action="append", choices=[*WORKLOADS, *GROUPS], default=[],
                        metavar="NAME", help="only this one, or this group (can be repeated): "
                                             + ", ".join([*USUAL, *GROUPS]))  # fmt: skip
    parser.add_argument("--server", action="append", choices=CANDIDATES,
                        help="only this one, and the floor (can be repeated)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="at most so many of each")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measured interval")
    parser.add_argument("--quick", action="store_true", help="a look: one round, smaller crowds")
    parser.add_argument("--name", help="of the files in bench/results")
    return parser.parse_args(argv)


def plan(asked: argparse.Namespace, files: int) -> Plan:
    """What is to be run, with so many open files."""
    keys = list(dict.fromkeys(["floor", *asked.server])) if asked.server else list(CANDIDATES)
    workloads = possible(chosen(asked.workload), files, quick=asked.quick)
    rounds, seconds = (1, 1.0) if asked.quick else (asked.rounds, asked.seconds)
    return Plan(workloads, available(keys), rounds, seconds, asked.quick)


def write(results: Results, name: str) -> None:
    """Figures, page and chart into bench/results."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (folder / f"{name}.md").write_text(report(results) + f"\n![The chart]({name}.svg)\n")
    (folder / f"{name}.svg").write_text(chart(results))
    print(f"written: bench/results/{name}.json, .md, .svg")


def main(argv: list[str]) -> int:
    """Run it; an interruption still leaves what was measured."""
    asked = arguments(argv)
    files = raise_file_limit()
    results = Results(about=about(argv), quick=asked.quick)
    name = asked.name or ("quick" if asked.quick else results.about["date"][:10])
    try:
        plan(asked, files).run(results)
    except KeyboardInterrupt:
        print("\ninterrupted")
    print("\n" + report(results))
    write(results, name)
    return 1 if results.failures() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
