"""Reads a history's lines in order and tells the good from the damaged.

A line is good when its `h` follows from the `h` before it. Damage costs what is damaged and no
more: the line after a damaged one is held against the `h` that can still be read there, or that
its text would have, or that stood before it; where nothing can be read, it is shown, and called
unprovable. Where what is read there is wrong, that line can't be told from one more damaged line,
and is lost with it: nothing wrong is ever shown for good.

A whole record of a line that was passed already is no damage: it was copied there, or the lines
stand in another order. It is counted, and costs nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from edgechat.chat.line import Entry, Record, chain, claimed, ends_with
from edgechat.history.records import OPENS, follows, parse

_MOST = 4  # candidates kept: so many damaged lines in a row cost time for each, and no more
_PENDING = 1_000  # damaged pieces whose `h` is kept
_RUNS = 1_000  # runs of lost lines that are kept
# What a lone record may be ahead by, where nothing vouches for its `seq`: a damaged one must not
# make a room's numbers jump to where no client can count.
_JUMP = 1_000_000
_SHORTEST = 60  # bytes of a line, `h` and all, or less


class ChainReader:
    """A walk through consecutive lines, from a known place on. Yields an `Entry` for each `seq`."""

    def __init__(
        self, seq: int, h: bytes | None, *, since: int = 0, newest: int | None = None
    ) -> None:
        """It begins after line `seq`, whose `h` (8 raw bytes) may be unknown.

        Of lost lines, those after line `since` are yielded, and of those that are lost in a row
        the `newest`: a damaged file may have lost any number.
        """
        self.seq = seq
        self.damaged = 0  # pieces that are no line
        self.unprovable = 0
        self.lost = 0
        self.runs: list[
            tuple[int, int]
        ] = []  # lost lines: first and last; not all, if there are many
        self.passed = 0  # whole records of lines that were passed already
        self.misplaced = 0  # whole records that are lost, as they are not where they belong
        self.reframed = 0  # good lines that something else than a newline ends
        self.since = since
        self._newest = newest
        self._candidates = [] if h is None else [h]  # any of them the next line may follow from
        self._sure = h is not None  # whether the right one is among them
        self._good: list[bytes] = []  # while lines are pending: the h before them
        self._pending: list[bytes | None] = []  # the h of each damaged piece not yet counted
        self._pieces = 0  # how many those are
        self._with_h = 0  # and how many of them have an h
        self._whole = 0  # and how many may be whole records
        self._top = 0  # the last line of those that may be: its number is taken
        self._passed_h: bytes | None = None  # of the line that was passed last

    @property
    def h(self) -> bytes | None:
        """What the next line is to be chained to."""
        return self._candidates[0] if self._candidates else None

    def next_good(self, line: bytes) -> Entry | None:
        """Take the next line, without its newline, if it is simply good: nearly all are."""
        if len(self._candidates) != 1 or self._pieces:
            return None
        h = chain(self._candidates[0], line)
        if not (line.startswith(b'{"seq":%d,' % (self.seq + 1)) and ends_with(line, h)):
            return None
        self.seq += 1
        self._candidates[0] = h
        return Entry(self.seq, line, h)

    def recover(self, piece: bytes, following: bytes | None = b"") -> Iterator[Entry]:
        """Take the next piece of a line, that is not simply good.

        `following` is the one after it, None where the file ends.
        """
        own = claimed(piece)
        record = None if own is None or len(piece) < _SHORTEST else parse(piece)
        if record is not None and own is not None:
            if self._passes(record.seq, piece, own):
                return
            if record.seq > self.seq and (
                (proven := self._is_proven(piece, own))
                or self._is_plausible(record.seq, piece, own, following)
            ):
                self.unprovable += not proven
                self.misplaced += record.seq < self._top
                yield from self._lose(record.seq - 1)
                self.seq = record.seq
                self._candidates = [own] if proven else [own, *self._computed(piece)]
                self._sure = True
                yield Entry(record.seq, piece, own)
                return
        self._pend(piece, record, own)

    def finish(self) -> Iterator[Entry]:
        """The damaged lines at the very end."""
        last = max(self.seq + (max(1, self._with_h) if self._pieces else 0), self._top)
        # Where nothing is known of them, what is written next follows from what was good last.
        self._candidates = self._candidates or self._good
        yield from self._lose(last)
        self.seq = last

    def _passes(self, seq: int, piece: bytes, own: bytes) -> bool:
        """Whether a record is of a line before, or goes on where such a one stood.

        What goes on there and not here is of another history, or of another copy.
        """
        if seq <= self.seq:
            if self._is_renumbered(piece, own):
                return False
            at = bisect_right(self.runs, (seq, seq))
            near = self.runs[max(at - 1, 0) : at + 1]
            self.misplaced += any(first <= seq <= last for first, last in near)
        else:
            if self._passed_h is None or chain(self._passed_h, piece) != own:
                return False
            if self._is_proven(piece, own) or seq > self.seq + _JUMP:
                return False
            self.misplaced += 1
            self._top = max(self._top, seq)
        self.passed += 1
        self._passed_h = own
        return True

    def _pend(self, piece: bytes, record: Record | None, own: bytes | None) -> None:
        """Nothing is known of this piece but its `h`, or nothing at all."""
        self.damaged += 1
        if record is not None and own is not None and self._may_be(record.seq, piece, own):
            self.misplaced += record.seq < self._top
            self._whole += 1
            self._top = max(self._top, record.seq)
        if not self._pieces:
            self._good = self._candidates[:_MOST]
        self._pieces += 1
        self._with_h += own is not None
        if len(self._pending) < _PENDING:
            self._pending.append(own)
        self._candidates = ([own] if own else []) + self._computed(piece)
        self._sure = own is not None

    def _computed(self, piece: bytes) -> list[bytes]:
        """What may be the h after a piece, where its own is damaged and its text is not."""
        if len(piece) < _SHORTEST or not piece.startswith(OPENS):
            return []
        return [chain(h, piece) for h in self._candidates[:_MOST]]

    def _is_proven(self, piece: bytes, own: bytes) -> bool:
        return any(chain(h, piece) == own for h in (*self._candidates, *self._good))

    def _is_renumbered(self, piece: bytes, own: bytes) -> bool:
        """Whether a record is the next line, but for its `seq`, which is damaged then."""
        body = piece.partition(b",")[2]
        return self._is_proven(b'{"seq":%d,%b' % (self.seq + self._pieces + 1, body), own)

    def _is_plausible(self, seq: int, piece: bytes, own: bytes, following: bytes | None) -> bool:
        """Whether a record that nothing proves is shown.

        That is so where nothing can be read that would disprove it, and where more than the pending
        lines are gone: then the line after it has to vouch for its h, or it is the last. That says
        nothing of its text: it must not be one more in a row of damaged lines.
        """
        vouched = bool(following) and follows(following or b"", seq, own)
        if not self._sure:
            return vouched or seq - self.seq <= _JUMP
        if seq <= self.seq + self._pieces + 1:
            return False
        at_the_end = following is None and not self._whole
        return vouched or (at_the_end and self._may_be(seq, piece, own))

    def _may_be(self, seq: int, piece: bytes, own: bytes) -> bool:
        """Whether a whole record's `seq` can be believed, although nothing vouches for it."""
        return self.seq < seq <= self.seq + _JUMP and not self._is_renumbered(piece, own)

    def _lose(self, last: int) -> Iterator[Entry]:
        """The lines up to `last` are not there."""
        first, known = self.seq + 1, self._pending
        if len(known) != self._pieces or len(known) != last - self.seq:
            known = []
        self._pending, self._good = [], []
        self._pieces = self._with_h = self._whole = 0
        if first > last:
            return
        self.lost += last - first + 1
        if len(self.runs) < _RUNS:
            self.runs.append((first, last))
        start = max(first, self.since + 1)
        if self._newest is not None:
            start = max(start, last - self._newest + 1)
        for seq in range(start, last + 1):
            yield Entry(seq, None, known[seq - first] if known else None)
