"""One room's history as an open room sees it: a file, and behind that what is not written yet.

The chain grows at its tip, by what was said here and was stored, and by what was said elsewhere.
The room is told of it a little later: what it is asked to read ends where it was told of last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import trio

from edgechat.chat.errors import HistoryChanged
from edgechat.chat.line import Damaged, Entry, StoredLine, parse_line
from edgechat.chat.state import Opened
from edgechat.nodes.archives import Archive
from edgechat.nodes.chain import Point, point_of, with_h
from edgechat.nodes.flight import Flight
from edgechat.nodes.history_files import make_header
from edgechat.nodes.keys import RoomKeys
from edgechat.nodes.room_news import RoomNews
from edgechat.rooms.storage import Wake, nothing


class RoomLog(RoomNews):
    """An open room's `rooms.storage.Log`, and a `level.Chain`."""

    def __init__(
        self,
        room: RoomKeys,
        opened: Opened,
        archive: Archive | None,
        wake: Wake,
        catch_up: Callable[[RoomLog], Awaitable[None]],
    ) -> None:
        """`archive` is None for a room in which nobody spoke; `catch_up` asks the engine."""
        super().__init__(room, wake)
        self.opened = opened
        self.archive = archive
        self.base = point_of(opened.base)
        self.tip = point_of(opened.head)
        self.pending: deque[Entry] = deque()  # not in the file yet; some without their h
        self.flight: Flight | None = None
        self.moved = 0  # times in a row that others were first
        self.is_level = False  # with the engine, since the link came up
        self.is_levelling = False
        self.level_again = False  # something was heard meanwhile
        self.trouble = ""  # that the log has; the same is not said each second
        self.failure: HistoryChanged | None = None
        self.landed: Callable[[Flight], None] = _nobody
        self.closed: Callable[[RoomLog], None] = _nobody
        self.writing = trio.Lock()  # its file is being written to
        self._seen = self.tip.seq  # what the room was told
        self._heard: list[StoredLine] = []
        self._catch_up = catch_up
        self._told = trio.Event()

    @property
    def written(self) -> int:
        """The last line in the file."""
        return self.base.seq if self.archive is None else self.archive.tip.seq

    @property
    def is_new(self) -> bool:
        """Whether nobody ever said anything here, as far as is known."""
        return self.archive is None and not self.pending

    async def header(self) -> bytes:
        """The first line of the file, or what it will be: a new room's follows from its first."""
        if self.archive is not None:
            return await self.archive.header()
        first = self.pending[0].line
        assert first is not None
        return self.header_for(first)

    def header_for(self, first: bytes) -> bytes:
        """The header of a new room whose first line that is: the same on every node."""
        name = self.keys.room.partition(":")[2]
        return make_header(name, parse_line(first).timestamp, self.opened.base)

    # The chain.

    async def entries(self, after: int, most: int) -> Sequence[Entry]:
        """See `level.Chain`: also what the room was not told yet."""
        return await self._read(after, most, self.tip.seq)

    async def take(self, lines: Sequence[StoredLine]) -> None:
        """See `grow`."""
        self.grow(lines)

    def grow(self, lines: Sequence[StoredLine]) -> None:
        """Lines that go on from the tip are stored; those on their way from here may be first."""
        flight = self.flight
        if flight is not None and flight.after == self.tip:
            count = len(flight.lines)
            if len(lines) >= count and lines[count - 1].h == flight.last.h:
                self.store(flight)
                lines = lines[count:]
        if lines:
            self.tip = Point(lines[-1].seq, lines[-1].h)
            self.pending.extend([Entry(line.seq, line.line, line.h) for line in lines])
            self._heard += lines
            self._wake()

    def store(self, flight: Flight) -> None:
        """Those on their way from here are stored: the room is about to be told."""
        self.flight = None
        self.moved = 0
        for seq, line in enumerate(flight.lines, flight.after.seq + 1):
            self.pending.append(Entry(seq, line, None))
        self.tip = flight.last
        self._seen = flight.last.seq
        self.landed(flight)

    def has_new_trouble(self, text: str) -> bool:
        """Whether this is to be said: what is wrong with the room now, or nothing is (empty)."""
        before, self.trouble = self.trouble, text
        return text not in ("", before)

    def fail(self, reason: str) -> None:
        """It is of no more use: the room is to open it anew."""
        if self.failure is None:
            self.failure = HistoryChanged(reason)
            self._told.set()
            self._wake()

    # For the room: see `rooms.storage.Log`.

    def heard(self) -> Sequence[StoredLine]:
        """What others said."""
        if self.failure is not None:
            raise self.failure
        heard, self._heard = self._heard, []
        self._seen += len(heard)
        self._told.set()
        self._told = trio.Event()
        return heard

    async def reach(self, seq: int) -> None:
        """Until the room was told of line `seq`, if there is one."""
        if seq > self.tip.seq:
            await self._catch_up(self)
        while self._seen < min(seq, self.tip.seq) and self.failure is None:
            await self._told.wait()

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines after `seq`."""
        return await self._read(seq, most, self._seen)

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        """Lines before `seq`."""
        last = min(seq - 1, self._seen)
        tail = [with_h(entry) for entry in self.pending if entry.seq <= last][-most:]
        if self.archive is None or len(tail) == most:
            return tail
        first = tail[0].seq if tail else last + 1
        return [*await self.archive.file.before(first, most - len(tail)), *tail]

    async def lines(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """These lines, by their `seq`."""
        wanted = {seq for seq in seqs if seq <= self._seen}
        new = {seq: line for seq, line, _ in self.pending if seq in wanted and line is not None}
        old = wanted - new.keys()
        return await self.archive.file.lines(sorted(old)) | new if self.archive and old else new

    async def ids(self, depth: int) -> dict[str, int]:
        """The ids of the last lines."""
        seen, pending = self._seen, list(self.pending)  # that may be written meanwhile
        found = await self.archive.file.ids(depth) if self.archive is not None else {}
        found = {id: seq for id, seq in found.items() if seq <= seen}
        for seq, line, _ in pending:
            if line is not None and seq <= seen:
                with suppress(Damaged):
                    if (id := parse_line(line).id) is not None:
                        found[id] = seq
        return found

    def close(self) -> None:
        """The room has ended. What is not in the file yet, the storage still writes."""
        self._wake = nothing
        self.fail("the room has ended")
        self.closed(self)

    async def _read(self, seq: int, most: int, upto: int) -> Sequence[Entry]:
        written, pending = self.written, list(self.pending)  # that may be written meanwhile
        entries: list[Entry] = []
        if self.archive is not None and seq < written:
            found = await self.archive.file.after(seq, most)
            entries = [entry for entry in found if entry.seq <= upto]
            if not entries or entries[-1].seq < written:
                return entries  # it was cut short
        last = entries[-1].seq if entries else seq
        more = [with_h(entry) for entry in pending if last < entry.seq <= upto]
        return entries + more[: most - len(entries)]


def _nobody(_: object) -> None:
    """Nobody is told."""
