"""A folder of histories, and whether a name in it may have changed since somebody looked.

A folder's times change with every name in it (POSIX, `rename` and `unlink`): so one look at the
folder, once a turn, stands for one at each file.
"""

from __future__ import annotations

import os
from pathlib import Path

# Seconds. Two changes within a file system's grain bear the same time: while that may be, nothing
# is believed. And nothing for long, as there may be file systems that keep no such times.
_GRAIN = 3.0
_TRUST = 1.0


class Shelf:
    """One such folder. `edition` is another number wherever a name may have changed."""

    def __init__(self, path: Path) -> None:
        self.edition = 0
        self._place = str(path)
        self._stamp: tuple[int, ...] = ()
        self._fresh_until = 0.0
        self._trusted_until = 0.0

    def look(self, now: float) -> None:
        """Bring `edition` up to date; `now` in seconds of a clock that never goes back.

        Never raises: what is wrong with the folder shows when a file in it is looked at.
        """
        stamp = _stamp(self._place)
        if stamp != self._stamp:
            self._stamp, self._fresh_until, self._trusted_until = stamp, now + _GRAIN, now
        if now < self._fresh_until or now >= self._trusted_until:
            self.edition += 1
            self._trusted_until = now + _TRUST


def _stamp(place: str) -> tuple[int, ...]:
    try:
        found = os.stat(place)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns
