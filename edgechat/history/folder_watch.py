"""A folder of histories, and whether a name in it may have changed since somebody looked.

A folder's times change with every name in it (POSIX, `rename` and `unlink`): so one look at the
folder, once a turn, stands for one at each file. (Who mounts something over a single file changes
no name: that shows a second later.)
"""

from __future__ import annotations

from pathlib import Path

from edgechat import system

# Seconds. Two changes within a file system's grain bear the same time, a tick of the kernel's clock
# or, where it keeps whole seconds only, two of them: while that may be, nothing is believed. And
# nothing for long, as there may be file systems that keep no such times.
_TICK = 0.1
_WHOLE_SECONDS = 3.0
_TRUST = 1.0


class FolderWatch:
    """One such folder. `generation` is another number wherever a name may have changed."""

    def __init__(self, path: Path) -> None:
        self.generation = 0
        self._place = str(path)
        self._stamp: tuple[int, ...] | None = None
        self._fresh_until = 0.0
        self._trusted_until = 0.0

    def look(self) -> None:
        """Bring `generation` up to date.

        Never raises: what is wrong with the folder shows when a file in it is looked at.
        """
        try:
            found = system.stat(self._place)
        except OSError:
            self._stamp = None
            self.generation += 1
            return
        now = system.monotonic()
        stamp = found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns
        if stamp != self._stamp:
            self._stamp = stamp
            grain = _TICK if found.st_ctime_ns % 1_000_000_000 else _WHOLE_SECONDS
            self._fresh_until = self._trusted_until = now + grain
        elif now >= self._trusted_until:
            self._trusted_until = now + _TRUST
        elif now >= self._fresh_until:
            return
        self.generation += 1
