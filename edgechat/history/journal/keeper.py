"""What follows a commit of the journal, in the background.

The files that it covers are written (`write_behind`), and later synced, a few at a time; a segment
of the journal goes when all that it covers is synced. Rooms let go of their files here.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat import system
from edgechat.history.health import Health
from edgechat.history.journal.file_syncer import AT_ONCE, FileSyncer
from edgechat.history.journal.journal import Journal
from edgechat.history.journal.segment import Segment
from edgechat.history.reopening import reason
from edgechat.history.write_behind import WriteBehind
from edgechat.history.writer import Writer
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_PAUSE = 0.01  # seconds
_MOST_AT_STOP = 3.0  # seconds
_NOT_SYNCED = "The journal could not be synced"


class JournalKeeper:
    """Two tasks: `run` writes and syncs what was said, `tidy` removes what is of no more use."""

    def __init__(
        self, journal: Journal, behind: WriteBehind, settings: Settings, health: Health
    ) -> None:
        """`health` is told what can't be synced."""
        self.journal = journal
        self.behind = behind
        self._interval = settings.sync_interval
        self._health = health
        self._syncs_first = settings.durability == "disk"
        self._idle = trio.Event()  # no commit is under way in a thread
        self._idle.set()
        self._files = FileSyncer(journal, behind, health)
        self._said = trio.Event()
        self._work = trio.Event()
        self._going = trio.Lock()

    def begin_commit(self) -> None:
        """One is under way until `end_commit`: it may go into a new segment, if it is time."""
        self._close_due()
        self._idle = trio.Event()

    def end_commit(self) -> None:
        """It is through, or failed."""
        self._idle.set()

    def cover(self, segment: Segment, writer: Writer) -> None:
        """Lines of it are in a segment, and its file is not synced yet."""
        segment.covers[writer.key] = writer
        writer.segment = segment
        self._said.set()

    def retire(self, writer: Writer) -> None:
        """Nobody uses it any more: write and sync it if it has to be, and release it."""
        self._files.retire(writer)
        self._work.set()

    async def run(self) -> NoReturn:
        """Write and sync what was said, for ever. Wakes only when there is something to do."""
        while True:
            await self._said.wait()
            await trio.sleep(self._interval)
            self._said = trio.Event()
            await self._sync_journal()
            await self.behind.write_all()
            if len(self.behind) or self._is_to_sync:  # said meanwhile, or it could not be written
                self._said.set()
            self._work.set()

    async def tidy(self) -> NoReturn:
        """Put back what a start has found, sync files and remove segments, for ever."""
        await self._recover(_PAUSE)
        while True:
            with trio.move_on_after(max(0.0, self._next_in())):
                await self._work.wait()
            await trio.sleep(self._interval)
            async with self._going:
                self._work = trio.Event()
                if self._idle.is_set():
                    self._close_due()
                await self._tidy(_PAUSE)
                if self._files.waits:
                    self._work.set()

    async def flush(self) -> None:
        """Sync all that was said until now, and leave no journal.

        But for that of rooms which a start has found to be behind, where there are too many.
        """
        while not self._idle.is_set():
            await self._idle.wait()
        async with self._going:
            self.journal.close_current()
            with trio.move_on_after(_MOST_AT_STOP):  # the next start goes on with them
                await self._recover(0.0)
            await self.behind.write_all()
            await self._tidy(0.0)

    async def _recover(self, pause: float) -> None:
        """Bring those files up to date that a start has found to be behind, a few at a time."""
        doubts = self.journal.doubts
        while doubts.found:
            await system.run_in_thread(doubts.recover_some, AT_ONCE)
            await trio.sleep(pause)
        doubts.tell_recovered()

    def _close_due(self) -> None:
        if self.journal.due_in(system.monotonic()) <= 0:
            self.journal.close_current()

    @property
    def _is_to_sync(self) -> bool:
        """With `os` durability only: else the journal is synced before anybody is told."""
        return not self._syncs_first and self.journal.waits_for_sync

    async def _sync_journal(self) -> None:
        if not self._is_to_sync:
            return
        started = system.monotonic()
        try:
            await system.run_in_thread(self.journal.sync)
        except OSError as error:
            self.journal.give_up()  # so that the files are synced instead, and now
            self._health.failed("journal", _NOT_SYNCED, reason(error))
        else:
            self._health.worked("journal", _NOT_SYNCED)
        self.journal.counts.sync_seconds = system.monotonic() - started

    def _next_in(self) -> float:
        """Seconds until there is something to do, whatever comes."""
        journal = self.journal
        for segment in journal.segments:
            if segment is not journal.current and not self._waits_for_doubts(segment):
                return 0.0
        return journal.due_in(system.monotonic())

    def _waits_for_doubts(self, segment: Segment) -> bool:
        return any(map(self.journal.doubts.is_doubtful, list(segment.covers)))

    async def _tidy(self, pause: float) -> None:
        await self._files.release()
        for segment in list(self.journal.segments):
            if segment is not self.journal.current:
                await self._settle(segment, pause)

    async def _settle(self, segment: Segment, pause: float) -> None:
        """Sync what a closed segment covers, and remove it."""
        writers = [writer for writer in list(segment.covers.values()) if writer]
        for start in range(0, len(writers), AT_ONCE):
            if start and pause:
                await trio.sleep(pause)
            await self._files.sync(writers[start : start + AT_ONCE], [segment])
        if segment.covers:
            return
        try:
            await system.run_in_thread(segment.remove)
        except OSError as error:
            log.error("A file of the journal can't be removed: %s", reason(error))
        else:
            with suppress(ValueError):  # a commit that failed has removed it meanwhile
                self.journal.segments.remove(segment)
