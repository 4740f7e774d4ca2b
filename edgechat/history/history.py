"""Histories on disk: one append-only JSONL file a room (`docs/protocol.md`, History file).

Here they are opened, read and closed; `writer` writes, and `repair` mends their ends.
"""

from __future__ import annotations

import logging
from pathlib import Path

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Token
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.history import repair
from edgechat.history.committer import Committer
from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.history.folder_watch import FolderWatch
from edgechat.history.journal import Journal
from edgechat.history.journal_keeper import JournalKeeper
from edgechat.history.journal_statistics import JournalStatistics
from edgechat.history.reader import File
from edgechat.history.recovery import read_from_disk
from edgechat.history.reopening import FLAGS, reason
from edgechat.history.room_history import History
from edgechat.history.syncer import Syncer
from edgechat.history.writer import Writer
from edgechat.settings import Settings

log = logging.getLogger(__name__)


class Histories:
    """All rooms' histories in one data folder; `rooms.storage.Storage`."""

    def __init__(self, folder: DataFolder, syncer: Syncer, settings: Settings) -> None:
        self._folder = folder
        self._syncer = syncer
        self._settings = settings
        self._journal = Journal(folder, settings)
        self._keeper = JournalKeeper(self._journal, settings.sync_interval)
        self._journals = settings.durability == "disk"
        self._watches = [
            FolderWatch(folder.rooms_folder(private=private)) for private in (False, True)
        ]
        committer = Committer(self._watches, syncer, self._keeper, journals=self._journals)
        self.submit, self.send, self.run = committer.submit, committer.send, committer.run
        self.tidy = self._keeper.run  # for ever, in the background

    async def start(self) -> None:
        """Put back what the journal has of an earlier server. Raises `DataFolderError`."""
        try:
            await system.run_in_thread(self._journal.start)
        except OSError as error:
            text = f"The journal in {self._folder.path} can't be read: {reason(error)}."
            raise DataFolderError(text) from None

    async def flush(self) -> None:
        """Make all that was written last in the rooms' files; the journal is empty then."""
        await self._syncer.flush()
        await self._keeper.flush()

    def statistics(self) -> JournalStatistics:
        """What the journal counts."""
        return self._journal.statistics()

    async def open(self, key: RoomKey) -> History:
        """Open a room's history; its end is mended if it is torn. Makes no file."""
        path = self._folder.history(key)
        return await system.run_in_thread(self._open, key, path)

    def _open(self, key: RoomKey, path: Path) -> History:
        try:
            self._journal.recover(key)
            fd = system.open(path, FLAGS)
        except FileNotFoundError:
            return self._log(key, path, _nothing(), None)
        except OSError as error:
            raise StorageUnavailable(reason(error)) from None
        try:
            if self._journals:
                read_from_disk(fd, path)
            if done := repair.mend(fd):
                log.warning("In the history of %s %s.", key, done)
                if self._journals:
                    system.fsync(fd)
            return self._opened(key, path, fd)
        except OSError as error:
            if self._journals:
                self._journal.doubt(key)  # an `fsync` may have failed
            system.close(fd)
            raise StorageUnavailable(reason(error)) from None

    def _opened(self, key: RoomKey, path: Path, fd: int) -> History:
        file = repair.open_file(fd)
        if not file.end:  # not even a header: as good as no file
            system.unlink(path)
            system.close(fd)
            return self._log(key, path, _nothing(), None)
        if file.base is None:
            log.error("The header of the history of %s is damaged.", key)
        settings = self._settings
        opened = repair.open_history(file, settings.recent_lines, settings.recent_bytes // 2)
        damaged = sum(entry.line is None for entry in opened.backlog)
        if damaged:
            log.error("%d of the last lines in the history of %s are damaged.", damaged, key)
        return self._log(key, path, opened, file)

    def _log(self, key: RoomKey, path: Path, opened: Opened, file: File | None) -> History:
        last = opened.backlog[-1].line if opened.backlog else None
        journal, closer = (self._journal, self._keeper) if self._journals else (None, self._syncer)
        writer = Writer(key, path, opened.base, file, last, journal)
        return History(opened, writer, self._watches[key.private], closer, self._settings)


def _nothing() -> Opened:
    """A history of which there is no file yet: its random base makes it one of its own."""
    base = Token(0, system.token_bytes(8).hex())
    return Opened(base, base, 0, exists=False, backlog=())
