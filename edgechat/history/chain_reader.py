"""Reads a history's lines in order and tells the good from the damaged.

A line is good when its `h` follows from the `h` before it. Damage costs what is damaged and no
more: the line after a damaged one is held against the `h` that can still be read there, or that
its text would have, or that stood before it; where nothing can be read, it is shown, and called
unprovable. Where what is read there is wrong, that line can't be told from one more damaged line,
and is lost with it: nothing wrong is ever shown for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgechat.chat.line import Damaged, Entry, Record, chain, claimed, ends_with, parse_line

# Two lines whose newline was damaged or is gone. JSON escapes quotation marks, so no message looks
# like it.
_SEAM = re.compile(rb'(?<=,"h":"[0-9a-f]{16}"\}).?(?=\{"seq":)', re.DOTALL)
_MOST = 4  # candidates kept: so many damaged lines in a row cost time for each, and no more


class ChainReader:
    """A walk through consecutive lines, from a known place on. Yields an `Entry` for each `seq`."""

    def __init__(self, seq: int, h: bytes | None) -> None:
        """It begins after line `seq`, whose `h` (8 raw bytes) may be unknown."""
        self.seq = seq
        self.damaged = 0
        self.unprovable = 0
        self._candidates = [] if h is None else [h]  # any of them the next line may follow from
        self._sure = h is not None  # whether the right one is among them
        self._good: list[bytes] = []  # while lines are pending: the h before them
        self._pending: list[bytes | None] = []  # the h of each damaged piece not yet counted

    @property
    def h(self) -> bytes | None:
        """What the next line is to be chained to."""
        return self._candidates[0] if self._candidates else None

    def next_good(self, line: bytes) -> Entry | None:
        """Take the next line, without its newline, if it is simply good: nearly all are."""
        if len(self._candidates) != 1 or self._pending:
            return None
        h = chain(self._candidates[0], line)
        if not (line.startswith(b'{"seq":%d,' % (self.seq + 1)) and ends_with(line, h)):
            return None
        self.seq += 1
        self._candidates[0] = h
        return Entry(self.seq, line, h)

    def recover(self, line: bytes, following: bytes = b"") -> Iterator[Entry]:
        """Take the next line, that is not simply good. `following` is the one after it."""
        pieces = _SEAM.split(line)
        for piece, after in zip(pieces, [*pieces[1:], following], strict=True):
            yield from self._recover(piece, after)

    def finish(self) -> Iterator[Entry]:
        """The damaged lines at the very end."""
        count = max(1, sum(h is not None for h in self._pending)) if self._pending else 0
        yield from self._lose(self.seq + count)
        self.seq += count

    def _recover(self, piece: bytes, following: bytes) -> Iterator[Entry]:
        """A line that is not simply good."""
        record, own = _parse(piece), claimed(piece)
        if record is not None and own is not None and record.seq > self.seq:
            proven = any(chain(h, piece) == own for h in (*self._candidates, *self._good))
            if proven or not self._sure or self._is_after_a_gap(record.seq, own, following):
                self.unprovable += not proven
                yield from self._lose(record.seq - 1)
                self.seq = record.seq
                self._candidates = [own] if proven else [own, *self._computed(piece)]
                self._sure = True
                yield Entry(record.seq, piece, own)
                return
        self.damaged += 1
        if not self._pending:
            self._good = self._candidates
        self._pending.append(own)
        self._candidates = ([own] if own else []) + self._computed(piece)
        self._sure = own is not None

    def _computed(self, piece: bytes) -> list[bytes]:
        """What may be the h after a piece, where its own is damaged and its text is not."""
        return [chain(h, piece) for h in self._candidates[:_MOST]]

    def _is_after_a_gap(self, seq: int, own: bytes, following: bytes) -> bool:
        """Whether more than the pending lines are gone, and the line after it vouches for its h.

        That says nothing of its text: it must not be one more in a row of damaged lines.
        """
        return (
            seq > self.seq + len(self._pending) + 1
            and following.startswith(b'{"seq":%d,' % (seq + 1))
            and ends_with(following, chain(own, following))
        )

    def _lose(self, last: int) -> Iterator[Entry]:
        """The lines up to `last` are not there."""
        known = self._pending if len(self._pending) == last - self.seq else []
        for at, seq in enumerate(range(self.seq + 1, last + 1)):
            yield Entry(seq, None, known[at] if known else None)
        self._pending = []
        self._good = []


def _parse(line: bytes) -> Record | None:
    try:
        return parse_line(line)
    except Damaged:
        return None
