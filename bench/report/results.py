"""All figures of one run of the benchmark: by workload and server, a list of rounds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

DISTURBED = 0.10  # of the time another process had the core: the figures are not to be trusted

Round = dict[str, Any]  # figures by name, or {"failed": why}


@dataclass
class Results:
    """What has been measured so far."""

    about: dict[str, str] = field(default_factory=dict)
    quick: bool = False  # smaller crowds than the workloads' titles say
    rounds: dict[str, dict[str, list[Round]]] = field(default_factory=dict)

    def add(self, workload: str, server: str, figures: Round) -> None:
        """One more round."""
        self.rounds.setdefault(workload, {}).setdefault(server, []).append(figures)

    def of(self, workload: str, server: str) -> list[Round]:
        """All rounds of a server under a workload."""
        return self.rounds.get(workload, {}).get(server, [])

    def median(self, workload: str, server: str, figure: str) -> float | None:
        """The median over the rounds; None if it was not measured or a round failed."""
        runs = self.of(workload, server)
        if not runs or any(figure not in run for run in runs):
            return None
        return float(statistics.median(run[figure] for run in runs))

    def ratio(self, workload: str, server: str, other: str, figure: str) -> float | None:
        """The median of the ratios within each round: the machine's drift hits both alike."""
        pairs = list(zip(self.of(workload, server), self.of(workload, other), strict=False))
        if not pairs or any(figure not in run for pair in pairs for run in pair):
            return None
        return float(statistics.median(mine[figure] / its[figure] for mine, its in pairs))

    def disturbed(self, workload: str) -> list[str]:
        """The servers whose rounds under a workload had to share their core, and how much."""
        shares = {server: max(run.get("disturbed", 0.0) for run in runs)
                  for server, runs in self.rounds.get(workload, {}).items()}  # fmt: skip
        return [f"{server} {share:.0%}" for server, share in shares.items() if share > DISTURBED]

    def failures(self) -> list[str]:
        """What went wrong, in words."""
        return [
            f"{workload}, {server}: {run['failed']}"
            for workload, servers in self.rounds.items()
            for server, runs in servers.items()
            for run in runs
            if "failed" in run
        ]
