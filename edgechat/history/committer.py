"""Stores what a turn submits: at once, or in worker threads where something has to be waited for.

With `os` durability a submission is one `write`, done on the spot; `send` then looks at the
folders, once for all, and answers. An `fsync` before the answer (`disk` durability), or a look at
a file that can't be trusted any more, is for a thread: those answers come later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import trio

from edgechat.chat.errors import HistoryChanged, StorageUnavailable
from edgechat.chat.line import StoredLine
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.room_history import History
from edgechat.history.syncer import Syncer
from edgechat.history.writer import Written
from edgechat.rooms.storage import Answer

Answered = Callable[[Sequence[Answer]], None]

log = logging.getLogger(__name__)


class Committer:
    """Takes submissions of all rooms, and answers each."""

    def __init__(self, watches: Sequence[FolderWatch], syncer: Syncer) -> None:
        self._watches = watches
        self._syncer = syncer
        self._written: list[tuple[History, Written, Any]] = []  # in this turn, and not answered yet
        self._failed: list[Answer] = []
        self._slow: list[tuple[History, Sequence[bytes], Any]] = []
        self._work = trio.Event()

    def submit(
        self, history: History, after: StoredLine, lines: Sequence[bytes], ticket: Any
    ) -> None:
        """See `rooms.storage.Storage`. A file has one writer: it knows what it goes on from."""
        if history.is_slow():
            self._slow.append((history, lines, ticket))
            return
        try:
            written = history.writer.write(lines)
        except StorageUnavailable as failure:
            self._failed.append((ticket, failure))
            self._note(history, failure)
        else:
            self._written.append((history, written, ticket))

    def send(self) -> Sequence[Answer]:
        """See `rooms.storage.Storage`."""
        answers, self._failed = self._failed, []
        if self._written:
            quiet = self._syncer.health.is_quiet
            for watch in self._watches:
                watch.look()
            for history, written, ticket in self._written:
                try:
                    history.writer.confirm(written, history.watch.generation)
                except Exception as failure:
                    answers.append((ticket, failure))
                    self._note(history, failure)
                else:
                    answers.append((ticket, None))
                    self._syncer.add(history.writer)
                    if not quiet:
                        self._note(history, None)
            self._written.clear()
        if self._slow:
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
                    nursery.start_soon(self._store, history, lines, ticket, answered)

    async def _store(
        self, history: History, lines: Sequence[bytes], ticket: Any, answered: Answered
    ) -> None:
        failure: Exception | None = None
        try:
            await history.append(lines)
        except Exception as error:
            failure = error
        self._note(history, failure)
        answered([(ticket, failure)])

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
