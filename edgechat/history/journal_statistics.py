"""What the journal counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class JournalStatistics:
    """Sums since the start, but for `segments`, the files that there are."""

    segments: int = 0
    commits: int = 0
    failed_commits: int = 0
    rooms: int = 0  # in commits: each room counts once for each
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0  # that commits took
    recovered_lines: int = 0  # at the start
    aside_lines: int = 0
