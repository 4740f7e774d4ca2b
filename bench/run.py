"""The running of it all: round by round, every server in turn, so that drift hits all alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.candidates import CANDIDATES, Candidate
from bench.paths import ROOT
from bench.report.results import Results, Round
from bench.workloads.workload import Workload

CHILD_S = 420.0


def child(server: str, workload: str, seconds: float, *more: str) -> Round:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.measure", server, workload, "--seconds", str(seconds)]
    try:
        done = subprocess.run(
            [*command, *more], capture_output=True, text=True, timeout=CHILD_S, cwd=ROOT
        )
        figures: Round = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within {CHILD_S:.0f} s"}
    except json.JSONDecodeError:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr else "no figures"}
    return figures


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    workloads: Sequence[Workload]
    servers: Sequence[Candidate]
    rounds: int
    seconds: float
    quick: bool

    def steps(self) -> Iterator[tuple[int, Workload, Candidate]]:
        """Workload by workload; in each round another server goes first."""
        for workload in self.workloads:
            fit = [server for server in self.servers if workload.applies_to(server)]
            for number in range(min(self.rounds, workload.rounds)):
                first = number % max(len(fit), 1)
                for server in [*fit[first:], *fit[:first]]:
                    yield number, workload, server

    def run(self, results: Results) -> None:
        """All steps, with a line on each."""
        for number, workload, server in self.steps():
            print(f"{workload.title}, round {number + 1}, {server.title}: ", end="", flush=True)
            seconds = self.seconds if self.quick else max(self.seconds, workload.seconds)
            more = ("--quick",) if self.quick else ()
            figures = child(server.key, workload.key, seconds, *more)
            results.add(workload.key, server.key, figures)
            print(in_short(figures), flush=True)


def in_short(figures: Round) -> str:
    """The figures that say most, on one line."""
    names = ("failed", "cpu_us_per_delivery", "deliveries_per_s", "p99_us", "rss_kib",
             "idle_cpu_ms_per_s", "cpu_s", "wall_s", "p99_ratio", "flood_per_s",
             "open_cpu_ms", "page_cpu_ms", "resume_cpu_ms")  # fmt: skip
    found = [(name, figures[name]) for name in names if name in figures][:4]
    return ", ".join(f"{n} {v:,.2f}" if isinstance(v, float) else f"{n} {v}" for n, v in found)


def available(keys: Sequence[str]) -> list[Candidate]:
    """Those of the servers that can be started here; says why another can't."""
    chosen = []
    for key in keys:
        missing = CANDIDATES[key].missing()
        if missing:
            print(f"left out: {CANDIDATES[key].title} ({missing})")
        else:
            chosen.append(CANDIDATES[key])
    return chosen


def possible(workloads: Sequence[Workload], files: int, *, quick: bool) -> list[Workload]:
    """Those that fit into so many open files, and into a quick look; says why another doesn't."""
    fit = []
    for workload in workloads:
        if workload.files > files:
            print(f"left out: {workload.title} ({workload.files:,} open files, of {files:,})")
        elif not (quick and workload.large):
            fit.append(workload)
    return fit
