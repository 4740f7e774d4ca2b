"""Histories whose files may lack on the disk what the journal has. For a worker thread.

At a start those are all that it names. Later they are the ones that could not be synced: what an
`fsync` failed to write can still be read, and no later `fsync` will write it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder, sync_folder
from edgechat.history.journal_reader import Journalled, Part, collect
from edgechat.history.journal_segment import Segment
from edgechat.history.journal_statistics import JournalStatistics
from edgechat.history.recovery import recover_room
from edgechat.history.reopening import reason
from edgechat.history.repair import longest_write
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

    def start(self, found: Sequence[Part]) -> None:
        """Recover what an earlier server left in these segments. Raises `OSError`."""
        if not found:
            return
        for private in (False, True):
            sync_folder(self._folder.rooms_folder(private=private))
        contents = collect(found)
        if contents.damaged:
            log.error("%d commits of the journal are damaged.", contents.damaged)
        path = found[0].path.parent
        self._segments += [Segment(path, part.number, 0.0, part.size) for part in found]
        for key in contents.rooms:
            try:
                self._recover(key, contents.rooms[key])
            except OSError as error:
                log.error("The history of %s can't be recovered: %s", key, reason(error))
                self.doubt(key)
        if lines := self._counts.recovered_lines:
            log.warning("The journal had %d lines that were missing in their files.", lines)
        self._keep_what_is_doubtful(path)

    def recover(self, key: RoomKey) -> None:
        """Before a room's file is used again of which `doubt` was told. Raises `OSError`."""
        if key not in self._doubtful:
            return
        living = [Part(one.number, one.path, one.end) for one in self._segments]
        journalled = collect(living, key).rooms.get(key)
        if journalled is not None:
            sync_folder(self._folder.rooms_folder(private=key.private))
            self._recover(key, journalled)
        self._doubtful.discard(key)
        for segment in self._segments:
            if segment.covers.get(key, segment) is None:
                del segment.covers[key]

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

    def _recover(self, key: RoomKey, journalled: Journalled) -> None:
        done = recover_room(self._folder.history(key), key, journalled, self._most)
        self._counts.recovered_lines += done.lines
        self._counts.aside_lines += done.aside

    def _keep_what_is_doubtful(self, path: Path) -> None:
        """Remove the segments; where a room could not be recovered, keep all that came after."""
        if self._doubtful:
            for segment in self._segments:
                segment.covers = dict.fromkeys(self._doubtful)
            return
        for segment in self._segments:
            segment.remove()
        self._segments.clear()
        sync_folder(path)
