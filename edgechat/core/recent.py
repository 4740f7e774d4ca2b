"""A room's newest lines, framed, so that a newcomer's backlog is one copy of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from edgechat.core import wire
from edgechat.core.record import Entry, Token

_MAX_BLOBS = 8  # a crowd comes from few places; each blob may be as large as all lines


class _Framed(NamedTuple):
    seq: int
    frame: bytes
    h: bytes | None
    for_v1: bool


class Recent:
    """The last lines of one room: at most `max_lines`, and `max_bytes` of frames.

    They are without a hole: a damaged line stands there as `lost`, which only v2 is shown.
    """

    __slots__ = ("_before", "_blobs", "_bytes", "_lines", "_max_bytes", "_max_lines")

    def __init__(self, before: Token, max_lines: int, max_bytes: int) -> None:
        self._before = before
        self._lines: deque[_Framed] = deque()
        self._bytes = 0
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._blobs: dict[tuple[int, bool], bytes] = {}

    @property
    def start(self) -> int:
        """Lines after this `seq` are here."""
        return self._before.seq

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take lines as read from the history."""
        for entry in entries:
            if entry.line is None:
                self.add(entry.seq, wire.lost(entry.seq), entry.h, for_v1=False)
            else:
                self.add(entry.seq, wire.text_frame(entry.line), entry.h)

    def add(self, seq: int, frame: bytes, h: bytes | None, *, for_v1: bool = True) -> None:
        """Take a new line, and let go of the oldest if there are too many."""
        self._blobs.clear()
        self._lines.append(_Framed(seq, frame, h, for_v1))
        self._bytes += len(frame)
        while len(self._lines) > self._max_lines or (
            self._bytes > self._max_bytes and len(self._lines) > 1
        ):
            oldest = self._lines.popleft()
            self._bytes -= len(oldest.frame)
            self._before = Token(oldest.seq, oldest.h.hex() if oldest.h else "")

    def hash_at(self, seq: int) -> str | None:
        """The `h` of line `seq`, 16 hex digits, if it is known here; else None."""
        if seq == self._before.seq:
            return self._before.h
        at = seq - self._before.seq - 1
        if 0 <= at < len(self._lines) and (h := self._lines[at].h):
            return h.hex()
        return None

    def line(self, seq: int) -> bytes | None:
        """Line `seq` itself, if it is here."""
        at = seq - self._before.seq - 1
        if 0 <= at < len(self._lines) and self._lines[at].for_v1:
            return wire.payload_of(self._lines[at].frame)
        return None

    def after(self, seq: int, *, v2: bool) -> bytes:
        """The frames of all lines after `seq`, which must not be before `start`.

        Many newcomers ask for the same: it is put together once for each new line.
        """
        blob = self._blobs.get((seq, v2))
        if blob is None:
            lines = islice(self._lines, max(0, seq - self.start), None)
            blob = b"".join(line.frame for line in lines if v2 or line.for_v1)
            if len(self._blobs) >= _MAX_BLOBS:
                self._blobs.clear()
            self._blobs[seq, v2] = blob
        return blob
