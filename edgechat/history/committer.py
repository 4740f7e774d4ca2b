"""Stores what a turn submits: at once, or with the next commit of the journal.

A submission is one `write` to the room's file, done on the spot; `send` then looks at the folders,
once for all. With `os` durability that is the answer. With `disk` all that was written goes into
the journal, which is synced in a worker thread; what is submitted meanwhile gathers for the next
commit. A file that has to be looked at first is for a thread, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import trio

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.line import StoredLine
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.journal_keeper import JournalKeeper
from edgechat.history.journal_record import pack, place_of
from edgechat.history.room_history import History
from edgechat.history.syncer import Syncer
from edgechat.history.writer import Written
from edgechat.rooms.storage import Answer

Answered = Callable[[Sequence[Answer]], None]

log = logging.getLogger(__name__)

_NOT_COMMITTED = "The journal could not be written"


# What a room has written, and nobody knows of yet: its history, the lines, the file after them,
# and the ticket. (A plain tuple: making a named one costs as much as two calls, for each message.)
_Submission = tuple[History, Sequence[bytes], Written, Any]


class Committer:
    """Takes submissions of all rooms, and answers each."""

    def __init__(
        self,
        watches: Sequence[FolderWatch],
        syncer: Syncer,
        keeper: JournalKeeper,
        *,
        journals: bool,
    ) -> None:
        """`journals`: whether lines go into the journal before they count as stored."""
        self._watches = watches
        self._syncer = syncer
        self._keeper = keeper
        self._journals = journals
        self._written: list[_Submission] = []  # in this turn, and not looked for yet
        self._gathered: list[_Submission] = []  # for the next commit
        self._failed: list[Answer] = []
        self._slow: list[tuple[History, Sequence[bytes], Any]] = []
        self._work = trio.Event()

    def submit(
        self, history: History, after: StoredLine, lines: Sequence[bytes], ticket: Any
    ) -> None:
        """See `rooms.storage.Storage`. A file has one writer: it knows what it goes on from."""
        if history.writer.suspect:  # it has to be looked at first
            history.hold()
            self._slow.append((history, lines, ticket))
            return
        try:
            written = history.writer.write(lines)
        except StorageUnavailable as failure:
            self._failed.append((ticket, failure))
            self._note(history, failure)
        else:
            self._written.append((history, lines, written, ticket))

    def send(self) -> Sequence[Answer]:
        """See `rooms.storage.Storage`."""
        answers, self._failed = self._failed, []
        if self._written:
            quiet = self._syncer.health.is_quiet
            for watch in self._watches:
                watch.look()
            for submission in self._written:
                history, _, written, ticket = submission
                try:
                    generation = history.watch.generation
                    history.writer.check(written, generation, accept=not self._journals)
                except Exception as failure:
                    answers.append((ticket, failure))
                    self._note(history, failure)
                else:
                    if not quiet:
                        self._note(history, None)
                    if self._journals:
                        history.hold()
                        self._gathered.append(submission)
                    else:
                        answers.append((ticket, None))
                        self._syncer.add(history.writer)
            self._written.clear()
        if self._slow or self._gathered:
            self._work.set()
        return answers

    async def run(self, answered: Answered) -> None:
        """Store, for ever, what has to be waited for; `answered` is given the answers."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._work.wait()
                self._work = trio.Event()
                slow, self._slow = self._slow, []
                for history, lines, ticket in slow:
                    nursery.start_soon(self._write_slowly, history, lines, ticket, answered)
                if self._gathered:
                    batch, self._gathered = self._gathered, []
                    answers = await self._commit(batch)
                    answered(answers)

    async def _write_slowly(
        self, history: History, lines: Sequence[bytes], ticket: Any, answered: Answered
    ) -> None:
        try:
            written = await history.write(lines)
        except Exception as failure:
            self._note(history, failure)
            answered([(ticket, failure)])
        else:
            self._written.append((history, lines, written, ticket))
            if answers := self.send():
                answered(answers)
        finally:
            history.let_go()

    async def _commit(self, batch: Sequence[_Submission]) -> Sequence[Answer]:
        """All of it is stored, or nothing."""
        keeper = self._keeper
        keeper.begin_commit()
        try:
            records = pack([record for submission in batch for record in _records(submission)])
            writers = [history.writer for history, _, _, _ in batch]
            new = {writer.folder for writer in writers if writer.file is None}
            segment = await system.run_in_thread(keeper.journal.commit, records, new)
        except Exception as failure:
            if isinstance(failure, StorageUnavailable):
                self._syncer.health.failed("journal", _NOT_COMMITTED, str(failure))
            return [_take_back(submission, failure) for submission in batch]
        else:
            self._syncer.health.worked("journal", _NOT_COMMITTED)
            for history, _, written, _ in batch:
                history.writer.accept(written)
            keeper.cover(segment, writers)
            counts = keeper.journal.counts
            counts.rooms += len(batch)
            counts.lines += sum(len(lines) for _, lines, _, _ in batch)
            return [(ticket, None) for _, _, _, ticket in batch]
        finally:
            keeper.end_commit()
            for history, _, _, _ in batch:
                history.let_go()

    def _note(self, history: History, failure: Exception | None) -> None:
        """Tell the log and `readyz` what works. A history that others changed is not a trouble."""
        key = history.writer.key
        place, what = f"private={key.private}", f"Messages in {key} could not be stored"
        if isinstance(failure, HistoryChanged):
            log.error("%s, and the room starts again: %s", what, failure)
        elif isinstance(failure, StorageUnavailable):
            self._syncer.health.failed(place, what, str(failure))
        elif failure is None:
            self._syncer.health.worked(place, what)


def _take_back(submission: _Submission, failure: Exception) -> Answer:
    history, _, written, ticket = submission
    try:
        history.writer.take_back(written)
    except Exception as defect:
        return ticket, defect
    return ticket, failure


def _records(submission: _Submission) -> list[bytes]:
    history, lines, _, _ = submission
    writer = history.writer
    if writer.file is None:
        lines = [writer.header()[:-1], *lines]
    place = place_of(writer.key)
    return [place + line for line in lines]
