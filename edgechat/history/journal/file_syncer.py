"""Syncs histories' files that the journal covers, and closes those that nobody uses any more."""

from __future__ import annotations

from collections.abc import Sequence

from edgechat import system
from edgechat.history.health import Health
from edgechat.history.journal.doubts import Doubts
from edgechat.history.journal.journal import Journal
from edgechat.history.journal.segment import Segment
from edgechat.history.reopening import reason
from edgechat.history.write_behind import WriteBehind
from edgechat.history.writer import Writer

# A few files at a time, so that commits do not wait long behind them: some thousand in a second.
AT_ONCE = 16


class FileSyncer:
    """Takes files away from under the journal. One call at a time."""

    def __init__(self, journal: Journal, behind: WriteBehind, health: Health) -> None:
        """`health` is told what can't be synced."""
        self._journal = journal
        self._behind = behind
        self._health = health
        self._retired: dict[Writer, None] = {}

    @property
    def waits(self) -> bool:
        """Whether there is something to release."""
        return bool(self._retired)

    def retire(self, writer: Writer) -> None:
        """Nobody uses it any more: `release` is to release it."""
        self._retired[writer] = None

    async def release(self) -> None:
        """Write and sync those that are retired, and close their files."""
        retired, self._retired = self._retired, {}
        failures = await self._behind.write(retired)
        self._retired.update(dict.fromkeys(failures))  # once more, later
        leaving = [writer for writer in retired if writer not in failures]
        covered = [writer for writer in leaving if self._is_covered(writer)]
        for start in range(0, len(covered), AT_ONCE):
            await self.sync(covered[start : start + AT_ONCE], self._journal.segments)
        for writer in covered:
            for segment in self._journal.segments:
                if segment.covers.get(writer.key) is writer:  # it could not be synced
                    segment.covers[writer.key] = None
        if leaving:
            await system.run_in_thread(_release, leaving)

    async def sync(self, writers: Sequence[Writer], segments: Sequence[Segment]) -> None:
        """Write and sync files; then those segments no longer cover them."""
        failures = await self._behind.write(writers)
        written = [writer for writer in writers if writer not in failures]
        done, failed = await system.run_in_thread(_sync, self._journal.doubts, written)
        counts = self._journal.counts
        counts.files_synced += len(done)
        counts.sync_failures += len(failed)
        for writer in done:
            self._health.worked("fsync", _what(writer))
        for writer, why in failed.items():
            self._health.failed("fsync", _what(writer), why)
        for segment in segments:
            for writer in done:
                if segment.covers.get(writer.key) is writer:
                    del segment.covers[writer.key]

    def _is_covered(self, writer: Writer) -> bool:
        segments = self._journal.segments
        return any(segment.covers.get(writer.key) is writer for segment in segments)


def _what(writer: Writer) -> str:
    return f"{writer} could not be synced"


def _sync(doubts: Doubts, writers: Sequence[Writer]) -> tuple[list[Writer], dict[Writer, str]]:
    """Returns those that were synced, and why others were not."""
    done: list[Writer] = []
    failed: dict[Writer, str] = {}
    for writer in writers:
        if doubts.is_doubtful(writer.key):
            continue
        try:
            writer.sync()
        except OSError as error:
            writer.doubt()
            doubts.doubt(writer.key)
            failed[writer] = reason(error)
        else:
            done.append(writer)
    return done, failed


def _release(writers: Sequence[Writer]) -> None:
    for writer in writers:
        writer.release()
