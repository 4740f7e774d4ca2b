"""The journal: what all rooms say is made durable by one `fdatasync` (`docs/protocol.md`, Journal).

The rooms' files are written too, and first, but synced much later and in the background
(`journal_keeper`): until then a power loss may take lines out of them that people have seen, and
the next start puts them back from here (`recovery`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder, sync_folder
from edgechat.history.journal_reader import Journalled, Part, collect, newest, parts
from edgechat.history.journal_segment import Segment
from edgechat.history.journal_statistics import JournalStatistics
from edgechat.history.recovery import recover_room
from edgechat.history.reopening import reason
from edgechat.history.repair import longest_write
from edgechat.settings import Settings

log = logging.getLogger(__name__)


class Journal:
    """All segments of one data folder. One commit is under way at a time, in a worker thread.

    `close_current` and `due_in` are for Trio's thread, while none is; all else is for threads.
    """

    def __init__(self, folder: DataFolder, settings: Settings, *, alone: bool = True) -> None:
        """`alone`: no other process has a journal there now. Else each begins its own segments."""
        self.counts = JournalStatistics()
        self.segments: list[Segment] = []  # the oldest first
        self.current: Segment | None = None  # the one that is written
        self._folder, self._settings, self._alone = folder, settings, alone
        self._doubtful: set[RoomKey] = set()
        self._path, self._number = folder.path / "journal", 0  # of the newest segment begun here

    def statistics(self) -> JournalStatistics:
        """What went through."""
        return replace(self.counts, segments=len(self.segments))

    def start(self) -> None:
        """Recover what an earlier server left, if this process is alone. Raises `OSError`."""
        if not self._alone or not (found := parts(self._path)):
            return
        contents = collect(found)
        if contents.damaged:
            log.error("%d commits of the journal are damaged.", contents.damaged)
        self.segments = [Segment(self._path, part.number, 0.0, part.size) for part in found]
        for private in {key.private for key in contents.rooms}:
            sync_folder(self._folder.rooms_folder(private=private))
        for key in contents.rooms:
            try:
                self._recover(key, contents.rooms[key])
            except OSError as error:
                log.error("The history of %s can't be recovered: %s", key, reason(error))
                self.doubt(key)
        if lines := self.counts.recovered_lines:
            log.warning("The journal had %d lines that were missing in their files.", lines)
        self._keep_what_is_doubtful()

    def commit(self, data: bytes, new: Collection[Path]) -> Segment:
        """Make records durable, and the names of new files in those folders.

        Returns the segment that has them. Raises `StorageUnavailable`: then they never counted.
        """
        begun = system.monotonic()
        try:
            for folder in new:
                sync_folder(folder)
            segment = self._append(data)
            self._sync(segment)
        except OSError as error:
            self.counts.failed_commits += 1
            raise StorageUnavailable(f"the journal: {reason(error)}") from None
        self.counts.commits += 1
        self.counts.bytes += len(data)
        self.counts.seconds += system.monotonic() - begun
        return segment

    def recover(self, key: RoomKey) -> None:
        """Before a room's file is used again of which `doubt` was told. Raises `OSError`."""
        if key not in self._doubtful:
            return
        living = [Part(one.number, one.path, one.end) for one in self.segments]
        journalled = collect(living, key).rooms.get(key)
        if journalled is not None:
            sync_folder(self._folder.rooms_folder(private=key.private))
            self._recover(key, journalled)
        self._doubtful.discard(key)
        for segment in self.segments:
            segment.covers.pop(key, None)

    def doubt(self, key: RoomKey) -> None:
        """What was written to this room's file may not be on the disk, whatever a sync says."""
        self._doubtful.add(key)

    def is_doubtful(self, key: RoomKey) -> bool:
        """Whether `recover` has to come first."""
        return key in self._doubtful

    def close_current(self) -> None:
        """Write the current segment no more."""
        if self.current is not None:
            self.current.close()
            self.current = None

    def due_in(self, now: float) -> float:
        """Seconds until the current segment is long or old enough; infinite without one."""
        if (segment := self.current) is None:
            return inf
        full = segment.end >= self._settings.journal_bytes
        return 0.0 if full else segment.born + self._settings.journal_age - now

    def _append(self, data: bytes) -> Segment:
        """Write, to a new segment where the current one takes no more."""
        segment = self.current
        if segment is not None:
            try:
                if not segment.is_in_place():
                    raise OSError("it vanished")
                segment.append(data)
                return segment
            except OSError as error:
                log.error("A new file of the journal is begun: %s", reason(error))
                self._abandon(segment)
        segment = self._begin()
        try:
            segment.append(data)
            sync_folder(self._path)
        except OSError:
            self._abandon(segment)
            raise
        return segment

    def _begin(self) -> Segment:
        self._number = max(self._number, newest(self._path)) + 1  # others may take some, too
        segment = Segment(self._path, self._number, system.monotonic())
        before = {str(one.number): one.end for one in self.segments}
        self.current = segment  # first: the keeper takes any other for an old one
        self.segments.append(segment)
        try:
            self._create(segment, before)
        except FileExistsError:  # another process was faster
            self.segments.remove(segment)
            return self._begin()
        except OSError:
            self._abandon(segment)
            raise
        return segment

    def _create(self, segment: Segment, before: dict[str, int]) -> None:
        try:
            segment.create(before)
        except FileNotFoundError:
            system.makedirs(self._path, mode=0o700, exist_ok=True)
            sync_folder(self._folder.path)
            segment.create(before)

    def _sync(self, segment: Segment) -> None:
        try:
            segment.sync()
        except OSError:
            self._abandon(segment)
            raise

    def _abandon(self, segment: Segment) -> None:
        """After a failure nothing is believed of it but what was synced before."""
        segment.abandon()
        if not segment.end:
            with suppress(OSError, ValueError):  # else later segments say that nothing in it counts
                segment.remove()
                self.segments.remove(segment)
        self.current = None

    def _recover(self, key: RoomKey, journalled: Journalled) -> None:
        most = longest_write(self._settings)
        done = recover_room(self._folder.history(key), key, journalled, most)
        self.counts.recovered_lines += done.lines
        self.counts.aside_lines += done.aside

    def _keep_what_is_doubtful(self) -> None:
        """Remove the segments; where a room could not be recovered, keep all that came after."""
        if self._doubtful:
            for segment in self.segments:
                segment.covers = dict.fromkeys(self._doubtful)
            return
        for segment in self.segments:
            segment.remove()
        self.segments.clear()
        sync_folder(self._path)
