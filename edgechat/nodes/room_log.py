"""One room's history as an open room sees it: a file, and behind that what is not written yet.

The room is told of a line a little after it is known: what the room asks to read ends where it was
told of last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Damaged, Entry, parse_line
from edgechat.chat.state import Opened
from edgechat.nodes.archives import Archive
from edgechat.nodes.chain import with_h
from edgechat.nodes.keys import RoomKeys
from edgechat.nodes.room_chain import RoomChain
from edgechat.rooms.storage import Wake, nothing

_PATIENCE = 10.0  # seconds until the room was told of what is known


class RoomLog(RoomChain):
    """An open room's `rooms.storage.Log`, and a `level.Chain`."""

    def __init__(
        self,
        room: RoomKeys,
        opened: Opened,
        archive: Archive | None,
        wake: Wake,
        catch_up: Callable[[RoomLog], Awaitable[None]],
    ) -> None:
        """See `RoomChain`; `catch_up` asks the engine."""
        super().__init__(room, opened, archive, wake)
        self.closed: Callable[[RoomLog], None] = _nobody
        self._catch_up = catch_up

    async def entries(self, after: int, most: int) -> Sequence[Entry]:
        """See `level.Chain`: also what the room was not told yet."""
        return await self._read(after, most, self.tip.seq)

    # For the room: see `rooms.storage.Log`.

    async def reach(self, seq: int) -> None:
        """Until the room was told of line `seq`, if there is one."""
        if seq > self.tip.seq:
            await self._catch_up(self)
        with trio.move_on_after(_PATIENCE) as patience:
            while self._seen < min(seq, self.tip.seq) and self.failure is None:
                await self._told.wait()
        if patience.cancelled_caught:
            raise StorageUnavailable("what was said last is not safe yet")

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
