"""What a node counts of its engine and of its files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeStatistics:
    """As of now; sums are since the node's start."""

    is_up: bool  # the link to the engine
    is_replicated: bool  # whether as many replicas have what is said as are waited for
    links: int  # times that it came up
    ping: float  # seconds until the engine answered last
    appends: int  # batches that the engine stored
    moved: int  # batches that came too late: others had spoken first, and the room drafted again
    mended: int  # lines that the engine lacked, given to it
    forks: int  # rooms that went on otherwise in the engine than here
    lines_behind: int  # said in open rooms, and not in their files yet
    seconds_behind: float  # since the files of open rooms had all that was said
