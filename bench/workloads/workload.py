"""What a workload is: what is run on a server, for which servers, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.candidates import Candidate
from bench.measurement import Figures
from bench.server import MakeCommand, Server

Run = Callable[[Server, Candidate, float], Figures]


@dataclass(frozen=True)
class Workload:
    """One row of the comparison."""

    key: str
    title: str
    run: Run
    quick: Run | None = None  # a smaller one for `--quick`, where less time is not enough
    floor: bool = True  # the floor can do it
    peers: bool = True  # any chat server can do it
    ids: bool = False  # worth repeating with an idempotency key in each message
    to_disk: bool = False  # for servers that write to the disk first, and EdgeChat's default
    command: MakeCommand | None = None  # how to start the server, if not as usual
    rounds: int = 5  # at most; what takes long, or hardly varies, is not repeated as often
    seconds: float = 0.0  # at least so many, where the usual few are not enough
    large: bool = False  # left out of `--quick`
    files: int = 0  # how many the server and the load each hold open

    def applies_to(self, candidate: Candidate) -> bool:
        """Whether this server can be put under this load."""
        if self.to_disk or candidate.to_disk:
            return self.to_disk and (candidate.to_disk or candidate.resumes)
        if candidate.ids:
            return self.ids
        if not candidate.chat:
            return self.floor and (self.peers or candidate.key == "floor")
        return self.peers or candidate.resumes
