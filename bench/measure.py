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

from bench.crowd import LoadError
from bench.process import cores, raise_file_limit
from bench.servers import CANDIDATES
from bench.workloads import WORKLOADS, measure, ten_senders


def arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=CANDIDATES)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--window", type=int, help="another window for the ten senders")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and say by the exit status whether the load was served."""
    asked = arguments()
    raise_file_limit()
    os.sched_setaffinity(0, {cores()[1]})
    gc.disable()
    workload = WORKLOADS[asked.workload]
    if asked.window:
        workload = dataclasses.replace(workload, run=ten_senders(asked.window))
    try:
        figures = measure(workload, CANDIDATES[asked.server], asked.seconds, quick=asked.quick)
    except (LoadError, TimeoutError, RuntimeError) as error:
        print(json.dumps({"failed": str(error)}))
        return 1
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
