"""Processes that others started."""

from __future__ import annotations

import os
from pathlib import Path


def children(pid: int | str = "self") -> set[int]:
    """Those that a process has started, by any of its threads."""
    found: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            found |= set(map(int, (thread / "children").read_text().split()))
        except OSError:
            continue  # it has ended meanwhile
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
