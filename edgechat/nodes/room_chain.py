"""One room's lines as far as they are known here: a chain that grows at its tip.

It grows by what was said here and was stored, and by what was said elsewhere. The room is told of
it a little later: at once, or when replicas of the engine have it as well (`hold`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import trio

from edgechat.chat.errors import HistoryChanged
from edgechat.chat.line import Entry, StoredLine, parse_line
from edgechat.chat.state import Opened
from edgechat.nodes.archives import Archive
from edgechat.nodes.chain import Point, point_of
from edgechat.nodes.flight import Flight
from edgechat.nodes.history_files import make_header
from edgechat.nodes.keys import RoomKeys
from edgechat.nodes.room_news import RoomNews
from edgechat.rooms.storage import Wake


class RoomChain(RoomNews):
    """The part of an open room's log that is written to."""

    def __init__(self, room: RoomKeys, opened: Opened, archive: Archive | None, wake: Wake) -> None:
        """`archive` is None for a room in which nobody spoke."""
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
        self.writing = trio.Lock()  # its file is being written to
        # Given what tells the room of lines, to be called when they are safe. None: they are.
        self.hold: Callable[[Callable[[], None]], None] | None = None
        self.held = 0  # things that `hold` has of this room
        self.unsafe: Flight | None = None  # that was stored, and is held
        self._seen = self.tip.seq  # what the room was told
        self._heard: list[StoredLine] = []
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
            if self.hold is None:
                self._tell(lines)
            else:
                self.held += 1
                self.hold(partial(self._tell, lines))

    def store(self, flight: Flight) -> None:
        """Those on their way from here are stored: the room is about to be told."""
        self.flight = None
        self.moved = 0
        for seq, line in enumerate(flight.lines, flight.after.seq + 1):
            self.pending.append(Entry(seq, line, None))
        self.tip = flight.last
        if self.hold is None:
            self._land(flight)
        else:
            self.held += 1
            self.unsafe = flight
            self.hold(partial(self._land, flight))

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

    def heard(self) -> Sequence[StoredLine]:
        """What others said: see `rooms.storage.Log`."""
        if self.failure is not None:
            raise self.failure
        heard, self._heard = self._heard, []
        self._seen += len(heard)
        self._told.set()
        self._told = trio.Event()
        return heard

    def _land(self, flight: Flight) -> None:
        self.unsafe = None
        self._seen = flight.last.seq
        self.landed(flight)

    def _tell(self, lines: Sequence[StoredLine]) -> None:
        self._heard += lines
        self._wake()


def _nobody(_: object) -> None:
    """Nobody is told."""
