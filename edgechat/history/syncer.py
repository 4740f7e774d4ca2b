"""Fsyncs recent writes in the background, every second: `os` durability."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

import trio

from edgechat import system
from edgechat.history.health import Health

_PLACE = "fsync"


class Syncable(Protocol):
    """A file that has to be synced. Both methods are called in a worker thread."""

    suspect: bool

    def sync(self) -> None:
        """Raises `OSError`; the file is `suspect` then."""

    def release(self) -> None:
        """It was synced for the last time."""


@dataclass(frozen=True, slots=True)
class SyncerStatistics:
    """What a syncer has done, and has to do."""

    syncs: int  # goes in which files were synced
    files_synced: int
    failures: int  # files that could not be
    last_seconds: float  # that the last of those goes took
    pending: int  # files that were written to since


class Syncer:
    """Collects what was written, and syncs all of it in one go of a worker thread."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two goes."""
        self.health = Health()  # told what could be synced; and by those who write what could be
        self._interval = interval
        self._dirty: dict[Syncable, None] = {}
        self._retired: dict[Syncable, None] = {}
        self._work = trio.Event()
        self._going = trio.Lock()  # a file must not be closed by one go while another syncs it
        self._statistics = SyncerStatistics(0, 0, 0, 0.0, 0)

    def statistics(self) -> SyncerStatistics:
        """What it has done until now."""
        return replace(self._statistics, pending=len(self._dirty))

    def add(self, file: Syncable) -> None:
        """It was written to."""
        if file not in self._dirty:
            self._dirty[file] = None
            self._work.set()

    def retire(self, file: Syncable) -> None:
        """Nobody uses it any more: sync it if it has to be, and release it."""
        self._retired[file] = None
        self._work.set()

    async def run(self) -> NoReturn:
        """Sync, for ever. Wakes only when there is something to do."""
        while True:
            await self._work.wait()
            await trio.sleep(self._interval)
            await self.flush()

    async def flush(self) -> None:
        """Sync all that was written until now."""
        async with self._going:
            self._work = trio.Event()
            dirty, self._dirty = self._dirty, {}
            retired, self._retired = self._retired, {}
            started = system.monotonic()
            failures = await system.run_in_thread(_sync, dirty, retired)
            self._tell(dirty, failures)
            if dirty:
                self._count(len(dirty), len(failures), system.monotonic() - started)

    def _tell(self, dirty: Collection[Syncable], failures: dict[Syncable, str]) -> None:
        for file in dirty:
            if file not in failures:
                self.health.worked(_PLACE, _what(file))
        for file, reason in failures.items():
            self.health.failed(_PLACE, _what(file), reason)

    def _count(self, files: int, failures: int, seconds: float) -> None:
        before = self._statistics
        self._statistics = SyncerStatistics(
            before.syncs + 1,
            before.files_synced + files - failures,
            before.failures + failures,
            seconds,
            0,
        )


def _what(file: Syncable) -> str:
    return f"{file} could not be synced"


def _sync(dirty: Collection[Syncable], retired: Collection[Syncable]) -> dict[Syncable, str]:
    """Returns what could not be synced, and why."""
    failures: dict[Syncable, str] = {}
    for file in dirty:
        try:
            file.sync()
        except OSError as error:
            file.suspect = True
            failures[file] = error.strerror or str(error)
    for file in retired:
        file.release()
    return failures
