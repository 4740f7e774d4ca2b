"""One workload on one server, in a process of its own, pinned: prints the figures as JSON.

`python -m bench.measure edgechat ten --seconds 3`
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import sys

from bench.candidates import CANDIDATES, Candidate
from bench.host import cores, raise_file_limit
from bench.load.errors import LoadError
from bench.measurement import Figures
from bench.server import serving
from bench.workloads.catalogue import WORKLOADS
from bench.workloads.chat import ten_senders
from bench.workloads.workload import Workload


def arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=CANDIDATES)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--window", type=int, help="another window for the ten senders")
    return parser.parse_args()


def measure(workload: Workload, candidate: Candidate, seconds: float, *, quick: bool) -> Figures:
    """A fresh server under one workload."""
    run = workload.quick if quick and workload.quick else workload.run
    with serving(workload.command or candidate.command, core=cores()[0]) as server:
        return run(server, candidate, seconds)


def main() -> int:
    """Measure, print, and say by the exit status whether the load was served."""
    asked = arguments()
    raise_file_limit()
    os.sched_setaffinity(0, {cores()[1]})
    gc.disable()
    workload = WORKLOADS[asked.workload]
    if asked.window:
        workload = dataclasses.replace(workload, run=ten_senders(asked.window).run)
    try:
        figures = measure(workload, CANDIDATES[asked.server], asked.seconds, quick=asked.quick)
    except (LoadError, TimeoutError, RuntimeError) as error:
        print(json.dumps({"failed": str(error)}))
        return 1
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
