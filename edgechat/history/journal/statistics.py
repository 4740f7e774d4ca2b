"""What the journal counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class JournalStatistics:
    """Sums since the start; `segments` (files of the journal) and `behind` are as of now."""

    segments: int = 0
    commits: int = 0
    failed_commits: int = 0
    rooms: int = 0  # in commits: each room counts once for each
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0  # that commits took
    files_synced: int = 0
    sync_failures: int = 0  # files that could not be
    sync_seconds: float = 0.0  # that the last sync in the background took (`os` durability)
    behind: int = 0  # files that lack lines now which the journal has
    recovered_lines: int = 0  # at the start
    aside_lines: int = 0
