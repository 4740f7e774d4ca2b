"""Histories on disk: one append-only JSONL file a room (`docs/protocol.md`, History file).

Here they are opened, read and closed; `writer` writes, and `repair` mends their ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.history import opening, repair
from edgechat.history.committer import Committer
from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.health import Health
from edgechat.history.journal.journal import Journal
from edgechat.history.journal.keeper import JournalKeeper
from edgechat.history.journal.owner import ALONE, Owner
from edgechat.history.journal.start import recover
from edgechat.history.journal.statistics import JournalStatistics
from edgechat.history.reader import File
from edgechat.history.reopening import FLAGS, reason
from edgechat.history.room_history import History
from edgechat.history.write_behind import WriteBehind
from edgechat.history.writer import Writer
from edgechat.rooms.storage import Wake, nothing
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_MOVED = "the data folder was moved away, or its lock removed: restart the server"


class Histories:
    """All rooms' histories in one data folder; `rooms.storage.Storage`."""

    def __init__(self, folder: DataFolder, settings: Settings, owner: Owner = ALONE) -> None:
        """`owner`: which of several processes this is that store histories there."""
        self._folder = folder
        self.health = Health()
        self._settings = settings
        self._journal = Journal(folder, settings, owner)
        self._behind = WriteBehind(self.health)
        self._keeper = JournalKeeper(self._journal, self._behind, settings, self.health)
        self._syncs_first = settings.durability == "disk"
        self._watches = [
            FolderWatch(folder.rooms_folder(private=private)) for private in (False, True)
        ]
        self._readers = trio.CapacityLimiter(settings.history_threads)
        self._openers = trio.CapacityLimiter(settings.opening_threads)
        committer = Committer(
            self._watches, self._keeper, self.health, syncs_first=self._syncs_first
        )
        self.submit, self.send, self.run = committer.submit, committer.send, committer.run
        self.catch_up = self._behind.write_all  # until files lack nothing; False: one still does
        self.flush = self._keeper.flush  # until files have all of it, and the journal is empty
        # For ever, in the background.
        self.write_behind, self.tidy = self._keeper.run, self._keeper.tidy

    async def start(self, *, at_once: bool = False) -> None:
        """Put back what the journal has of an earlier server. Raises `DataFolderError`.

        Unless `at_once` it is done for each room when that is opened, and by `tidy`.
        """
        try:
            start = partial(recover, self._journal) if at_once else self._journal.start
            await system.run_in_thread(start)
        except OSError as error:
            text = f"The journal in {self._folder.path} can't be read: {reason(error)}."
            raise DataFolderError(text) from None

    def statistics(self) -> JournalStatistics:
        """What the journal counts."""
        return replace(self._journal.statistics(), behind=len(self._behind))

    @property
    def works(self) -> bool:
        """Whether appends and syncs work now: what was tried last, folder by folder, did."""
        return self.health.works

    async def check(self) -> bool:
        """`works`, after a trial where it did not: for `readyz`, so that it recovers by itself."""
        return await self.health.check(self._folder)

    async def open(self, key: RoomKey, wake: Wake = nothing) -> History:
        """Open a room's history; its end is mended if it is torn. Makes no file.

        `wake` is called once the file turns out to be another: then `heard` says so.
        """
        await self._behind.write_room(key)  # what was said in an earlier room of that name
        path = self._folder.history(key)
        return await system.run_in_thread(self._open, key, path, wake, limiter=self._openers)

    def _open(self, key: RoomKey, path: Path, wake: Wake) -> History:
        try:
            if not self._folder.is_in_place():
                raise StorageUnavailable(_MOVED)
            self._journal.doubts.recover(key)
            fd = system.open(path, FLAGS)
        except FileNotFoundError:
            return self._log(key, path, opening.nothing(), None, wake)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        try:
            if self._syncs_first:
                opening.read_from_disk(fd, path)
            opening.mend(fd, path, key, self._settings)
            return self._opened(key, path, fd, wake)
        except OSError as error:
            if self._syncs_first:
                self._journal.doubts.doubt(key)  # an `fsync` may have failed
            system.close(fd)
            raise StorageUnavailable(reason(error)) from None
        except StorageUnavailable:
            system.close(fd)
            raise

    def _opened(self, key: RoomKey, path: Path, fd: int, wake: Wake) -> History:
        file = repair.open_file(fd)
        if not file.end:  # not even a header: as good as no file
            system.unlink(path)
            system.close(fd)
            return self._log(key, path, opening.nothing(), None, wake)
        if file.base is None:
            log.error("The header of the history of %s is damaged.", key)
        settings = self._settings
        opened = repair.open_history(file, settings.recent_lines, settings.recent_bytes // 2)
        damaged = sum(entry.line is None for entry in opened.backlog)
        if damaged:
            log.error("%d of the last lines in the history of %s are damaged.", damaged, key)
        opening.warn_of_clock(opened.stamp, key)
        return self._log(key, path, opened, file, wake)

    def _log(
        self, key: RoomKey, path: Path, opened: Opened, file: File | None, wake: Wake
    ) -> History:
        last = opened.backlog[-1].line if opened.backlog else None
        writer = Writer(key, path, opened.base, file, last, self._journal.doubts, wake)
        watch = self._watches[key.private]
        return History(opened, writer, watch, self._keeper, self._readers, self._settings)
