"""What a room needs of a history: the seam between the living and the disk (or several nodes)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgechat.chat.line import Entry
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened


class Log(Protocol):
    """One room's history, open. Its methods raise `StorageUnavailable`."""

    opened: Opened
    pause: float  # seconds from one append to the next, so that many messages share a commit

    @property
    def waits(self) -> bool:
        """Whether the next append has to wait for something slow."""

    def append_nowait(self, lines: Sequence[bytes]) -> None:
        """The first half of `append`, where it does not wait.

        `Storage.look` comes next, and then `confirm`, before the lines are shown.
        """

    def confirm(self) -> None:
        """The second half of `append`: a file that others moved away meanwhile has no lines."""

    async def append(self, lines: Sequence[bytes]) -> None:
        """Store lines (without newlines) at the chosen durability: all of them, or none.

        Raises `StorageUnavailable`: none is stored, and a later append may succeed; or
        `HistoryChanged`: none is stored, and this log is of no more use.
        """

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """At most that many entries after line `seq`, oldest first; at least one if any."""

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """At most that many entries before line `seq`, oldest first; at least one if any."""

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys in the last `depth` lines, oldest first, and their lines."""

    def close(self) -> None:
        """Let go of it. Never waits; what is not yet synced will be."""


class Storage(Protocol):
    """All rooms' histories."""

    def look(self) -> None:
        """See whether files may have been moved, for all that is to be confirmed.

        Never raises, never waits.
        """

    async def open(self, key: RoomKey) -> Log:
        """Open a room's history; makes no file. Raises `StorageUnavailable`."""
