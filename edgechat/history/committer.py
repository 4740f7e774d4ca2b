"""Stores what a turn submits: at once, or in worker threads where something has to be waited for.

With `os` durability a submission is one `write`, done on the spot; `send` then looks at the
folders, once for all, and answers. An `fsync` before the answer (`disk` durability), or a look at
a file that can't be trusted any more, is for a thread: those answers come later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.room_history import History
from edgechat.rooms.storage import Answer


class Committer:
    """Takes submissions of all rooms, and answers each."""

    def __init__(self, watches: Sequence[FolderWatch]) -> None:
        self._watches = watches
        self._written: list[tuple[History, Answer]] = []  # in this turn, and not answered yet
        self._slow: list[tuple[History, Sequence[bytes], Answer]] = []
        self._work = trio.Event()

    def submit(self, history: History, lines: Sequence[bytes], answer: Answer) -> None:
        """See `rooms.storage.Storage`."""
        if history.waits:
            self._slow.append((history, lines, answer))
            return
        try:
            history.write(lines)
        except StorageUnavailable as failure:
            answer(failure)
        else:
            self._written.append((history, answer))

    def send(self) -> None:
        """See `rooms.storage.Storage`."""
        if self._written:
            for watch in self._watches:
                watch.look()
            for history, answer in self._written:
                try:
                    history.confirm()
                except Exception as failure:
                    answer(failure)
                else:
                    answer(None)
            self._written.clear()
        if self._slow:
            self._work.set()

    async def run(self, answered: Callable[[], None]) -> None:
        """Store, for ever, what has to be waited for; `answered` is called after each answer."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._work.wait()
                self._work = trio.Event()
                slow, self._slow = self._slow, []
                for history, lines, answer in slow:
                    nursery.start_soon(_store, history, lines, answer, answered)


async def _store(
    history: History, lines: Sequence[bytes], answer: Answer, answered: Callable[[], None]
) -> None:
    failure: Exception | None = None
    try:
        await history.append(lines)
    except Exception as error:
        failure = error
    answer(failure)
    answered()
