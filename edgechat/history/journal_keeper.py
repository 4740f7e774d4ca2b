"""Syncs in the background what the journal covers, and removes what covers nothing any more."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import trio

from edgechat import system
from edgechat.history.health import Health
from edgechat.history.journal import Journal
from edgechat.history.journal_segment import Segment
from edgechat.history.reopening import reason
from edgechat.history.writer import Writer

log = logging.getLogger(__name__)

# A few files at a time, so that commits do not wait long behind them: some thousand in a second.
_AT_ONCE = 16
_PAUSE = 0.01


class JournalKeeper:
    """What follows a commit, when there is time. Rooms let go of their files here."""

    def __init__(self, journal: Journal, interval: float, health: Health) -> None:
        """`interval`: seconds between two looks; `health` is told what can't be synced."""
        self.journal = journal
        self._health = health
        self._idle = trio.Event()  # no commit is under way
        self._idle.set()
        self._interval = interval
        self._retired: dict[Writer, None] = {}
        self._work = trio.Event()
        self._going = trio.Lock()

    def begin_commit(self) -> None:
        """One is under way until `end_commit`: it may go into a new segment, if it is time."""
        if self.journal.due_in(system.monotonic()) <= 0:
            self.journal.close_current()
        self._idle = trio.Event()

    def end_commit(self) -> None:
        """What was committed is covered."""
        self._idle.set()

    def cover(self, segment: Segment, writers: Sequence[Writer]) -> None:
        """Lines of these are in a segment, and their files are not synced yet."""
        for writer in writers:
            segment.covers[writer.key] = writer
        self._work.set()

    def retire(self, writer: Writer) -> None:
        """Nobody uses it any more: sync it if it has to be, and release it."""
        self._retired[writer] = None
        self._work.set()

    async def run(self) -> NoReturn:
        """Tidy up, for ever. Wakes only when there is something to do."""
        while True:
            with trio.move_on_after(max(0.0, self._next_in())):
                await self._work.wait()
            await trio.sleep(self._interval)
            async with self._going:
                self._work = trio.Event()
                if self._idle.is_set() and self.journal.due_in(system.monotonic()) <= 0:
                    self.journal.close_current()
                await self._tidy(_PAUSE)

    async def flush(self) -> None:
        """Sync all that was written until now, and leave no journal."""
        while not self._idle.is_set():
            await self._idle.wait()
        async with self._going:
            self.journal.close_current()
            await self._tidy(0.0)

    def _next_in(self) -> float:
        """Seconds until there is something to do, whatever comes."""
        journal = self.journal
        for segment in journal.segments:
            if segment is not journal.current and not any(map(journal.is_doubtful, segment.covers)):
                return 0.0
        return journal.due_in(system.monotonic())

    async def _tidy(self, pause: float) -> None:
        await self._release()
        for segment in list(self.journal.segments):
            if segment is not self.journal.current:
                await self._settle(segment, pause)

    async def _release(self) -> None:
        retired, self._retired = self._retired, {}
        covered = [writer for writer in retired if self._is_covered(writer)]
        for start in range(0, len(covered), _AT_ONCE):
            await self._sync(covered[start : start + _AT_ONCE], self.journal.segments)
        for writer in covered:
            for segment in self.journal.segments:
                if segment.covers.get(writer.key) is writer:  # it could not be synced
                    segment.covers[writer.key] = None
        if retired:
            await system.run_in_thread(_release, list(retired))

    async def _settle(self, segment: Segment, pause: float) -> None:
        """Sync what a closed segment covers, and remove it."""
        journal = self.journal
        writers = [writer for writer in segment.covers.values() if writer is not None]
        for start in range(0, len(writers), _AT_ONCE):
            if start and pause:
                await trio.sleep(pause)
            await self._sync(writers[start : start + _AT_ONCE], [segment])
        if segment.covers:
            return
        try:
            await system.run_in_thread(segment.remove)
        except OSError as error:
            log.error("A file of the journal can't be removed: %s", reason(error))
        else:
            with suppress(ValueError):  # a commit that failed has removed it meanwhile
                journal.segments.remove(segment)

    async def _sync(self, writers: Sequence[Writer], segments: Sequence[Segment]) -> None:
        """Sync files; then those segments no longer cover them."""
        done, failed = await system.run_in_thread(_sync, self.journal, writers)
        for writer in done:
            self._health.worked("fsync", _what(writer))
        for writer, why in failed.items():
            self._health.failed("fsync", _what(writer), why)
        for segment in segments:
            for writer in done:
                if segment.covers.get(writer.key) is writer:
                    del segment.covers[writer.key]

    def _is_covered(self, writer: Writer) -> bool:
        segments = self.journal.segments
        return any(segment.covers.get(writer.key) is writer for segment in segments)


def _what(writer: Writer) -> str:
    return f"{writer} could not be synced"


def _sync(journal: Journal, writers: Sequence[Writer]) -> tuple[list[Writer], dict[Writer, str]]:
    """Returns those that were synced, and why others were not.

    What an `fsync` failed to write, no later one will: the journal has to help.
    """
    done: list[Writer] = []
    failed: dict[Writer, str] = {}
    for writer in writers:
        if journal.is_doubtful(writer.key):
            continue
        try:
            writer.sync()
        except OSError as error:
            writer.suspect = True
            journal.doubt(writer.key)
            failed[writer] = reason(error)
        else:
            done.append(writer)
    return done, failed


def _release(writers: Sequence[Writer]) -> None:
    for writer in writers:
        writer.release()
