"""Writes to the rooms' files what the journal has already, each room's lines together."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence

import trio

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.history.health import Health
from edgechat.history.reader import File
from edgechat.history.reopening import reason
from edgechat.history.writer import Writer

log = logging.getLogger(__name__)

# A few files in one go of a thread, so that whoever waits for one of them does not wait for all.
_AT_ONCE = 64

# How many lines, and the file with them; or why there are none.
_Written = tuple[int, File | None] | StorageUnavailable


class WriteBehind:
    """The files that are behind the journal. Each has one writer; one go is under way at a time."""

    def __init__(self, health: Health) -> None:
        """`health` is told what could not be written."""
        self._health = health
        self._behind: dict[RoomKey, Writer] = {}
        self._writing = trio.Lock()

    def __len__(self) -> int:
        return len(self._behind)

    def add(self, writer: Writer) -> None:
        """It has unwritten lines."""
        self._behind[writer.key] = writer

    async def write_all(self) -> bool:
        """Write what is unwritten now. What can't be written stays so: then this is False."""
        return not await self.write(self._behind.values())

    async def write_room(self, key: RoomKey) -> None:
        """Before a room's file is opened again. Raises `StorageUnavailable`."""
        while (writer := self._behind.get(key)) is not None:
            failures = await self.write([writer])
            if writer.unwritten and (failure := failures.get(writer)):
                raise failure

    async def write(self, writers: Iterable[Writer]) -> dict[Writer, StorageUnavailable]:
        """Write what is unwritten in these. Returns what went wrong.

        A file that is not its room's any more is no failure: what it lacks is taken care of.
        """
        async with self._writing:
            waiting = [writer for writer in writers if writer.unwritten]
            return await self._write(waiting)

    async def mend(self, writer: Writer) -> StorageUnavailable | None:
        """Check a file that is suspect, and write what it lacks. Returns what went wrong.

        Only while its room is open: a closed one's file may be another's already.
        """
        async with self._writing:
            return (await self._write([writer])).get(writer)

    async def _write(self, writers: Sequence[Writer]) -> dict[Writer, StorageUnavailable]:
        failures: dict[Writer, StorageUnavailable] = {}
        for start in range(0, len(writers), _AT_ONCE):
            some = writers[start : start + _AT_ONCE]
            known = [writer.changed for writer in some]
            done = await system.run_in_thread(_write_each, some)
            for writer, was_known, written in zip(some, known, done, strict=True):
                self._note(writer, written, failures)
                if writer.changed is not None and was_known is None:
                    log.error("The room starts again: %s: %s", writer, writer.changed)
                    writer.tell_change()
        return failures

    def _note(
        self, writer: Writer, written: _Written, failures: dict[Writer, StorageUnavailable]
    ) -> None:
        key = writer.key
        place, what = f"private={key.private}", f"{writer} could not be written".capitalize()
        if isinstance(written, StorageUnavailable):
            failures[writer] = written
            writer.rests()
            self._health.failed(place, what, str(written))
            return
        writer.written(*written)
        self._health.worked(place, what)
        if not writer.unwritten and self._behind.get(key) is writer:
            del self._behind[key]


def _write_each(writers: Collection[Writer]) -> list[_Written]:
    return [_write_one(writer) for writer in writers]


def _write_one(writer: Writer) -> _Written:
    try:
        return writer.write()
    except HistoryChanged as failure:
        return _give_up(writer, failure)
    except StorageUnavailable as failure:
        return failure


def _give_up(writer: Writer, failure: HistoryChanged) -> _Written:
    writer.change(failure)
    try:
        return writer.give_up(), None
    except OSError as error:
        why = reason(error)  # without the path: that names a private room
        return StorageUnavailable(f"{failure}; what it lacks can't be put aside: {why}")
