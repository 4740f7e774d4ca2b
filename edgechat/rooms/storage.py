"""What a room needs of a storage: the seam between rooms and the disk, or an engine elsewhere.

Storing has two halves, and neither waits. A turn submits the lines of each of its rooms, then
sends all of them together. `send` returns the answers that are there at once; the others come
later, to the `answered` that the storage was started with. A room submits nothing more until it
has its answer. `tests/rooms/storage_contract.py` is the suite that every storage passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from edgechat.chat.line import Entry, StoredLine
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened

# What `submit` was given to know the lines by, and what became of them. None: they are stored at
# the chosen durability. `StorageUnavailable`: none of them is, and a later submission may succeed;
# `HistoryChanged`: this log is of no more use. Any other exception is a defect.
Answer = tuple[Any, Exception | None]


class Log(Protocol):
    """One room's history, open. Its methods raise `StorageUnavailable`.

    What `after` and `before` return has at most `Settings.page_bytes`, but for one line that is
    longer. Each `open` returns one of its own.
    """

    opened: Opened

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """At most that many entries after line `seq`, oldest first; at least one if any."""

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """At most that many entries before line `seq`, oldest first; at least one if any."""

    async def ids(self, depth: int) -> dict[str, int]:
        """The idempotency keys in the last `depth` lines, oldest first, and their lines' `seq`.

        Those of some lines before them may be there as well.
        """

    async def lines(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """These lines, by their `seq`; a damaged one is left out."""

    def close(self) -> None:
        """Let go of it. Never waits; what is not yet synced will be."""


class Storage(Protocol):
    """All rooms' histories. The server asks it besides whether it works, and runs it."""

    @property
    def works(self) -> bool:
        """Whether what was tried last could be stored."""

    async def check(self) -> bool:
        """`works`, after a trial where it did not: for `readyz`, so that it recovers by itself."""

    async def run(self, answered: Callable[[Sequence[Answer]], None]) -> None:
        """Give `answered` the answers that come later, for ever."""

    async def open(self, key: RoomKey) -> Log:
        """Open a room's history; makes no file. Raises `StorageUnavailable`."""

    def submit(self, log: Any, after: StoredLine, lines: Sequence[bytes], ticket: Any) -> None:
        """Take lines (without newlines) that go on from line `after`: all are stored, or none.

        `log` is one that `open` returned. Never waits; an exception is a defect, and then nothing
        was taken.
        """

    def send(self) -> Sequence[Answer]:
        """Store what was submitted; returns the answers that need not be waited for.

        Never waits, never raises.
        """
