"""What a room needs of a storage: the seam between rooms and the disk, or an engine elsewhere.

Storing has two halves, and neither waits. A turn submits the lines of each of its rooms, then
sends all of them together; the storage answers each submission when its lines are stored at the
chosen durability, or are not: within `send` where nothing has to be waited for, or later. A room
submits nothing more until it has its answer. `tests/rooms/storage_contract.py` is the suite that
every storage passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from edgechat.chat.line import Entry, StoredLine
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened

# Called once for each submission. None: its lines are stored. `StorageUnavailable`: none of them
# is, and a later submission may succeed; `HistoryChanged`: this log is of no more use. Any other
# exception is a defect. It never raises and never waits.
Answer = Callable[[Exception | None], None]


class Log(Protocol):
    """One room's history, open. Its methods raise `StorageUnavailable`."""

    opened: Opened

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

    async def open(self, key: RoomKey) -> Log:
        """Open a room's history; makes no file. Raises `StorageUnavailable`."""

    def submit(self, log: Any, after: StoredLine, lines: Sequence[bytes], answer: Answer) -> None:
        """Take lines (without newlines) that go on from line `after`: all are stored, or none.

        `log` is one that `open` returned. Never waits; an exception is a defect.
        """

    def send(self) -> None:
        """Store what was submitted, and answer. Never waits, never raises."""
