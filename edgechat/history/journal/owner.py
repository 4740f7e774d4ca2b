"""Whose segments of the journal a process may recover: of several in one folder, each its own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from edgechat.history.journal.contents import Part, parts


class Owner(NamedTuple):
    """A process by its place: whoever had this place before had the same rooms.

    `number` is None for a server that is alone: all that it finds is its own. `recovers`: nobody
    who had the place before writes any more, and what they left has to be in the rooms' files
    before a room is opened.
    """

    number: int | None = None
    recovers: bool = True

    def left(self, folder: Path) -> list[Part]:
        """What is to be recovered, the oldest first. Raises `OSError`."""
        if not self.recovers:
            return []
        return [part for part in parts(folder) if self.number in (None, part.owner)]


ALONE = Owner()
