"""Processes that others started."""

from __future__ import annotations

import os
from pathlib import Path


def children(pid: int | str = "self") -> set[int]:
    """Those that a process has started, by any of its threads.

    By each process's word: a thread's `children` in `/proc` leaves some out while others end.
    """
    parent = os.getpid() if pid == "self" else int(pid)
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text().rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        if int(fields.split()[1]) == parent:
            found.add(int(stat.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
