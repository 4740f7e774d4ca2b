"""Stores what a turn submits: in the journal, all rooms together.

`send` looks at the folders, once for all, and then what was submitted is written to the journal.
With `os` durability that is the answer. With `disk` it is written and synced in a worker thread;
what is submitted meanwhile gathers for the next commit. The rooms' files are written behind it
(`write_behind`), but for a new file, which is made at once. A file that has to be looked at first
is for a thread, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import trio

from edgechat import system
from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.line import StoredLine
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.health import Health
from edgechat.history.journal.keeper import JournalKeeper
from edgechat.history.journal.segment import Segment
from edgechat.history.room_history import History
from edgechat.history.submission import Submission, note, pack_all, refuse
from edgechat.rooms.storage import Answer

Answered = Callable[[Sequence[Answer]], None]

_NOT_COMMITTED = "The journal could not be written"


class Committer:
    """Takes submissions of all rooms, and answers each."""

    def __init__(
        self,
        watches: Sequence[FolderWatch],
        keeper: JournalKeeper,
        health: Health,
        *,
        syncs_first: bool,
    ) -> None:
        """`syncs_first`: whether the journal is synced before lines count as stored."""
        self._watches = watches
        self._keeper = keeper
        self._health = health
        self._syncs_first = syncs_first
        self._submitted: list[Submission] = []  # in this turn, and not looked for yet
        self._gathered: list[Submission] = []  # for the next commit in a thread
        self._failed: list[Answer] = []
        self._slow: list[tuple[History, Sequence[bytes], Any]] = []
        self._work = trio.Event()

    def submit(
        self, history: History, after: StoredLine, lines: Sequence[bytes], ticket: Any
    ) -> None:
        """See `rooms.storage.Storage`. A room has one writer: it knows what it goes on from."""
        writer = history.writer
        if writer.is_ready:  # nearly always
            self._submitted.append((history, writer, lines, None, ticket))
        elif writer.suspect:
            history.hold()
            self._slow.append((history, lines, ticket))
        else:
            self._take(history, lines, ticket)

    def send(self) -> Sequence[Answer]:
        """See `rooms.storage.Storage`."""
        answers, self._failed = self._failed, []
        if self._submitted:
            ready = self._checked(answers)
            self._submitted = []
            if self._syncs_first:
                for history, *_ in ready:
                    history.hold()
                self._gathered += ready
            elif ready:
                answers += self._store(ready)
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
                    nursery.start_soon(self._submit_slowly, history, lines, ticket, answered)
                if self._gathered:
                    batch, self._gathered = self._gathered, []
                    answers = await self._commit(batch)
                    answered(answers)

    async def _submit_slowly(
        self, history: History, lines: Sequence[bytes], ticket: Any, answered: Answered
    ) -> None:
        """After the file was mended."""
        writer = history.writer
        try:
            if failure := await self._keeper.behind.mend(writer):
                note(self._health, history.writer.key, failure)
                answered([(ticket, failure)])
                return
            self._take(history, lines, ticket)
            if answers := self.send():
                answered(answers)
        finally:
            history.let_go()

    def _take(self, history: History, lines: Sequence[bytes], ticket: Any) -> None:
        """A file that is not there yet is made at once."""
        writer, journal = history.writer, self._keeper.journal
        created = None
        try:
            if writer.changed is not None:
                raise writer.changed
            if writer.file is None:
                created = writer.create(lines)
                journal.new_names.add(writer.folder)
        except StorageUnavailable as failure:
            self._failed.append((ticket, failure))
            note(self._health, history.writer.key, failure)
        else:
            self._submitted.append((history, writer, lines, created, ticket))

    def _checked(self, answers: list[Answer]) -> list[Submission]:
        """Those whose files are in their places."""
        for watch in self._watches:
            watch.look()
        ready, bad = self._submitted, list[Submission]()
        for submission in ready:
            history, writer, _, _, _ = submission
            if writer.generation != history.watch.generation:
                try:
                    writer.check(history.watch.generation)
                except Exception as failure:
                    if isinstance(failure, HistoryChanged):
                        writer.change(failure)
                    bad.append(submission)
                    answers.append(refuse(submission, failure))
                    note(self._health, history.writer.key, failure)
        if bad:
            ready = [submission for submission in ready if submission not in bad]
        if not self._health.is_quiet:
            for history, *_ in ready:
                note(self._health, history.writer.key, None)
        return ready

    def _store(self, batch: Sequence[Submission]) -> Sequence[Answer]:
        """All of it is written to the journal, or nothing is stored."""
        try:
            segment = self._keeper.journal.append(pack_all(batch))
        except Exception as failure:
            return self._refuse_all(batch, failure)
        return self._accept(batch, segment)

    async def _commit(self, batch: Sequence[Submission]) -> Sequence[Answer]:
        """All of it is written to the journal and synced, or nothing is stored."""
        keeper = self._keeper
        keeper.begin_commit()
        try:
            segment = await system.run_in_thread(keeper.journal.commit, pack_all(batch))
        except Exception as failure:
            return self._refuse_all(batch, failure)
        else:
            return self._accept(batch, segment)
        finally:
            keeper.end_commit()
            for history, *_ in batch:
                history.let_go()

    def _accept(self, batch: Sequence[Submission], segment: Segment) -> Sequence[Answer]:
        cover, is_behind = self._keeper.cover, self._keeper.behind.add
        answers: list[Answer] = []
        for _, writer, lines, created, ticket in batch:
            if created is not None:
                writer.made(created, lines[-1])
                cover(segment, writer)
            else:
                if not writer.unwritten:
                    is_behind(writer)
                    cover(segment, writer)
                elif writer.segment is not segment:
                    cover(segment, writer)
                writer.unwritten += lines
            answers.append((ticket, None))
        counts = self._keeper.journal.counts
        counts.rooms += len(batch)
        counts.lines += sum([len(lines) for _, _, lines, _, _ in batch])
        self._health.worked("journal", _NOT_COMMITTED)
        return answers

    def _refuse_all(self, batch: Sequence[Submission], failure: Exception) -> Sequence[Answer]:
        if isinstance(failure, StorageUnavailable):
            self._health.failed("journal", _NOT_COMMITTED, str(failure))
        return [refuse(submission, failure) for submission in batch]
