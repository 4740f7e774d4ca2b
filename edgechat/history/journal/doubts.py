"""Histories whose files may lack on the disk what the journal has. For a worker thread.

At a start those are all that it names: a room is recovered when it is opened, and the others one
after the other in the background, so that nobody waits for thousands of them. Later they are the
ones that could not be synced: what an `fsync` failed to write can still be read, and no later
`fsync` will write it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder, sync_folder
from edgechat.history.journal.contents import Journalled, Part, collect
from edgechat.history.journal.recovery import recover_room
from edgechat.history.journal.segment import Segment
from edgechat.history.journal.statistics import JournalStatistics
from edgechat.history.reopening import reason
from edgechat.history.repair import longest_write
from edgechat.rooms.defects import note_defect
from edgechat.settings import Settings

log = logging.getLogger(__name__)


class Doubts:
    """Mends histories from the journal before they are used again."""

    def __init__(
        self,
        folder: DataFolder,
        settings: Settings,
        segments: list[Segment],
        counts: JournalStatistics,
    ) -> None:
        """`segments` are the journal's, the oldest first."""
        self._folder = folder
        self._most = longest_write(settings)
        self._segments = segments
        self._counts = counts
        self._doubtful: set[RoomKey] = set()
        self.found: dict[RoomKey, Journalled] = {}  # by a start, and not recovered yet
        self._told = 0  # lines, in the log
        self._recovering = system.Lock()  # a room is opened in one thread, others go on in another

    def start(self, found: Sequence[Part]) -> None:
        """Learn what an earlier server left in these segments. Raises `OSError`.

        Nothing of it is recovered yet: `recover` does so room by room, `recover_some` all.
        """
        if not found:
            return
        for private in (False, True):
            sync_folder(self._folder.rooms_folder(private=private))
        contents = collect(found)
        if contents.damaged:
            log.error("%d commits of the journal are damaged.", contents.damaged)
        for part in found:
            segment = Segment(part.path.parent, part.number, 0.0, part.size)
            segment.covers = dict.fromkeys(contents.rooms)
            self._segments.append(segment)
        self.found = contents.rooms
        self._doubtful.update(contents.rooms)

    def recover(self, key: RoomKey) -> None:
        """Before a room's file is used of which there is doubt. Raises `OSError`."""
        if key not in self._doubtful:
            return
        with self._recovering:
            if key in self._doubtful:
                self._recover(key, self.found.get(key) or self._collect(key))
                self.found.pop(key, None)
                self._doubtful.discard(key)
                for segment in self._segments:
                    if segment.covers.get(key, segment) is None:
                        del segment.covers[key]

    def recover_some(self, most: int) -> bool:
        """Recover the next rooms of what a start has found. Returns whether there are more.

        One that can't be recovered stays in doubt.
        """
        if not self.found:
            return False
        with self._recovering:
            keys = list(islice(self.found, most))
        for key in keys:
            try:
                self.recover(key)
            except OSError as error:
                log.error("The history of %s can't be recovered: %s", key, reason(error))
                self.found.pop(key, None)
            except Exception as defect:  # it is one room's
                note_defect("a history's recovery", defect)
                self.found.pop(key, None)
        return bool(self.found)

    def tell_recovered(self) -> None:
        """Say in the log what came of it, once."""
        lines, self._told = self._counts.recovered_lines - self._told, self._counts.recovered_lines
        if lines:
            log.warning("The journal had %d lines that were missing in their files.", lines)

    def rescue(self, key: RoomKey, lines: Sequence[bytes]) -> None:
        """A room's file was changed by others: it gets what continues it, the rest is put aside.

        `lines` are all that it lacks. Raises `OSError`: then this is to be tried again.
        """
        journalled = Journalled()
        for line in lines:
            journalled.add(line)
        if lines:
            done = recover_room(self._folder.history(key), key, journalled, self._most)
            self._counts.aside_lines += done.aside

    def doubt(self, key: RoomKey) -> None:
        """What was written to this room's file may not be on the disk, whatever a sync says."""
        self._doubtful.add(key)

    def is_doubtful(self, key: RoomKey) -> bool:
        """Whether `recover` has to come first."""
        return key in self._doubtful

    def _collect(self, key: RoomKey) -> Journalled | None:
        living = [Part(one.number, one.path, one.end) for one in self._segments]
        journalled = collect(living, key).rooms.get(key)
        if journalled is not None:
            sync_folder(self._folder.rooms_folder(private=key.private))
        return journalled

    def _recover(self, key: RoomKey, journalled: Journalled | None) -> None:
        if journalled is not None:
            done = recover_room(self._folder.history(key), key, journalled, self._most)
            self._counts.recovered_lines += done.lines
            self._counts.aside_lines += done.aside
