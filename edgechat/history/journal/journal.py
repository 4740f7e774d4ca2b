"""The journal: what all rooms say is stored by one write, and made durable by one `fdatasync`
(`docs/protocol.md`, Journal).

The rooms' files are written a little later (`write_behind`), and synced much later
(`keeper`): until then a crash may leave them without lines that people have seen, and the
next start puts them back from here (`doubts`).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.history.data_folder import DataFolder, sync_folder
from edgechat.history.journal.contents import newest
from edgechat.history.journal.doubts import Doubts
from edgechat.history.journal.owner import ALONE, Owner
from edgechat.history.journal.segment import Segment
from edgechat.history.journal.statistics import JournalStatistics
from edgechat.history.reopening import reason
from edgechat.settings import Settings

log = logging.getLogger(__name__)


class Journal:
    """All segments of one process in a data folder, with one that is written. Synchronous.

    With `disk` durability `commit` is for a worker thread, one at a time. Else `append` is for
    Trio's thread, and `sync` for a worker, beside it. `close_current` and `due_in` are for Trio's
    thread, while no commit is under way.
    """

    def __init__(self, folder: DataFolder, settings: Settings, owner: Owner = ALONE) -> None:
        """Of several processes that share a folder each is an `owner` of segments of its own."""
        self.counts = JournalStatistics()
        self.segments: list[Segment] = []  # the oldest first
        self.current: Segment | None = None  # the one that is written
        self.new_names: set[Path] = set()  # folders with names that are not synced yet
        self._folder, self._settings, self._owner = folder, settings, owner
        self.path, self._number = folder.path / "journal", 0  # of the newest segment begun here
        self.doubts = Doubts(folder, settings, self.segments, self.counts)
        self._syncs_first = settings.durability == "disk"

    def statistics(self) -> JournalStatistics:
        """What went through."""
        return replace(self.counts, segments=len(self.segments))

    def start(self) -> None:
        """Learn what this owner's rooms left before. Raises `OSError`."""
        self.doubts.start(self._owner.left(self.path))

    def append(self, data: bytes) -> Segment:
        """Write records. Returns the segment that has them.

        Raises `StorageUnavailable`: then they never counted.
        """
        begun = system.monotonic()
        try:
            segment = self._append(data)
        except OSError as error:
            raise self._failed(error) from None
        if not self._syncs_first:
            segment.end = segment.written
        self._count(data, begun)
        return segment

    def commit(self, data: bytes) -> Segment:
        """`append`, and make them durable."""
        begun = system.monotonic()
        try:
            segment = self._append(data)
            self._sync(segment)
        except OSError as error:
            raise self._failed(error) from None
        self._count(data, begun)
        return segment

    @property
    def waits_for_sync(self) -> bool:
        """Whether `sync` has something to do."""
        return bool(self.new_names) or any(one.waits_for_sync for one in self.segments)

    def sync(self) -> None:
        """Make what was appended durable. Raises `OSError`: then `give_up` has to follow."""
        for segment in [one for one in self.segments if one.waits_for_sync]:
            segment.sync()
        self._sync_names()  # last: where that fails, it can be tried again

    def give_up(self) -> None:
        """A sync has failed, and no later one would prove anything: only syncing the files will."""
        for segment in self.segments:
            if segment.waits_for_sync or segment is self.current:
                segment.close()
        self.current = None

    def close_current(self) -> None:
        """Write the current segment no more."""
        self.current = None
        for segment in self.segments:
            if not segment.waits_for_sync:
                segment.close()

    def due_in(self, now: float) -> float:
        """Seconds until the current segment is long or old enough; infinite without one."""
        if (segment := self.current) is None:
            return inf
        full = segment.written >= self._settings.journal_bytes
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
        except OSError:
            self._abandon(segment)
            raise
        return segment

    def _begin(self) -> Segment:
        self._number = max(self._number, newest(self.path)) + 1  # others may take some, too
        segment = Segment(self.path, self._number, system.monotonic())
        before = {str(one.number): one.end for one in self.segments}
        self.current = segment  # first: the keeper takes any other for an old one
        self.segments.append(segment)
        self.new_names.add(self.path)
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
            segment.create(before, self._owner.number)
        except FileNotFoundError:
            system.makedirs(self.path, mode=0o700, exist_ok=True)
            self.new_names.add(self._folder.path)
            segment.create(before, self._owner.number)

    def _sync(self, segment: Segment) -> None:
        end = segment.written
        try:
            self._sync_names()
            segment.sync()
        except OSError:
            self._abandon(segment)
            raise
        segment.end = end

    def _sync_names(self) -> None:
        for folder in list(self.new_names):
            self.new_names.discard(folder)
            try:
                sync_folder(folder)
            except OSError:
                self.new_names.add(folder)
                raise

    def _abandon(self, segment: Segment) -> None:
        """Believe no more of it than what counted before, which a failed write does not harm."""
        segment.take_back()
        if self._syncs_first or not segment.waits_for_sync:
            segment.close()
        if not segment.end:
            with suppress(OSError, ValueError):  # else later segments say that nothing in it counts
                segment.remove()
                self.segments.remove(segment)
        self.current = None

    def _failed(self, error: OSError) -> StorageUnavailable:
        self.counts.failed_commits += 1
        return StorageUnavailable(f"the journal: {reason(error)}")

    def _count(self, data: bytes, begun: float) -> None:
        counts = self.counts
        counts.commits += 1
        counts.bytes += len(data)
        counts.seconds += system.monotonic() - begun
