"""A room's newest lines, framed, so that a newcomer's backlog is one copy of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from edgechat.chat import outgoing
from edgechat.chat.kinds import is_for
from edgechat.chat.line import DIGEST_BYTES, Entry, Token, claimed

_MAX_BLOBS = 8  # a crowd comes from few places; each blob may be as large as all lines


class Backlog:
    """The last lines of one room: at most `max_lines`, and `max_bytes` of frames.

    They are without a hole: in the place of a damaged line stands a `lost` record. Of a line only
    its frame is kept: its `seq` is its place, its `h` stands at its end.
    """

    __slots__ = (
        "_before",
        "_blobs",
        "_bytes",
        "_frames",
        "_lost",
        "_max_bytes",
        "_max_lines",
        "_v2_only",
        "start",
    )

    def __init__(self, before: Token, max_lines: int, max_bytes: int) -> None:
        self.start = before.seq  # the lines after it are here
        self._before: bytes | str | None = before.h  # its h, or the frame that ends with it
        self._frames: deque[bytes] = deque()
        self._lost: dict[int, bytes | None] = {}  # the h of a damaged line, by its seq
        self._v2_only: set[int] = set()  # the seqs of lines of which v1 clients are not told
        self._bytes = 0
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._blobs: dict[tuple[int, bool], bytes] = {}

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take lines as read from the history."""
        for seq, line, h in entries:
            for_v1 = is_for(line, v2=False)
            if line is None:
                self._lost[seq] = h
                self.add(outgoing.lost(seq), for_v1=for_v1)
            else:
                self.add(outgoing.text_frame(line), for_v1=for_v1)

    def add(self, frame: bytes, *, for_v1: bool = True) -> None:
        """Take the next line, and let go of the oldest if there are too many."""
        if self._blobs:
            self._blobs.clear()
        frames = self._frames
        frames.append(frame)
        self._bytes += len(frame)
        if not for_v1:
            self._v2_only.add(self.start + len(frames))
        while len(frames) > self._max_lines or (self._bytes > self._max_bytes and len(frames) > 1):
            self.start += 1
            self._before = frames.popleft()
            self._bytes -= len(self._before)
            self._v2_only.discard(self.start)
            if self.start in self._lost:
                h = self._lost.pop(self.start)
                self._before = h.hex() if h else None

    def hash_at(self, seq: int) -> str | None:
        """The `h` of line `seq`, 16 hex digits, if it is known here; else None."""
        at = seq - self.start - 1
        if not -1 <= at < len(self._frames):
            return None
        found = self._before if at == -1 else self._lost.get(seq, self._frames[at])
        if isinstance(found, bytes):
            found = claimed(found) if len(found) > DIGEST_BYTES else found
            return found.hex() if found else None
        return found

    def line(self, seq: int) -> bytes | None:
        """Line `seq` itself, if it is here."""
        at = seq - self.start - 1
        if 0 <= at < len(self._frames) and seq not in self._lost:
            return outgoing.payload_of(self._frames[at])
        return None

    def lines_after(self, seq: int) -> list[bytes]:
        """All lines after `seq`, which must not be before `start`; `lost` for a damaged one."""
        first = max(0, seq - self.start)
        return [outgoing.payload_of(frame) for frame in islice(self._frames, first, None)]

    def after(self, seq: int, *, v2: bool) -> bytes:
        """The frames of all lines after `seq`, which must not be before `start`.

        Many newcomers ask for the same: it is put together once for each new line.
        """
        blob = self._blobs.get((seq, v2))
        if blob is None:
            first = max(0, seq - self.start)
            frames: Iterator[bytes] = islice(self._frames, first, None)
            if self._v2_only and not v2:
                at = self.start + first + 1
                frames = (frame for s, frame in enumerate(frames, at) if s not in self._v2_only)
            blob = b"".join(frames)
            if len(self._blobs) >= _MAX_BLOBS:
                self._blobs.clear()
            self._blobs[seq, v2] = blob
        return blob
