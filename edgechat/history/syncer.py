"""Makes what was written last, in the background: `os` durability's `fsync` every second."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import NoReturn, Protocol

import trio

from edgechat import system

log = logging.getLogger(__name__)


class Syncable(Protocol):
    """A file that has to be synced. Both methods are called in a worker thread."""

    suspect: bool

    def sync(self) -> None:
        """Raises `OSError`; the file is `suspect` then."""

    def release(self) -> None:
        """It was synced for the last time."""


class Syncer:
    """Collects what was written, and syncs all of it in one go of a worker thread."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two goes."""
        self._interval = interval
        self._dirty: dict[Syncable, None] = {}
        self._retired: dict[Syncable, None] = {}
        self._work = trio.Event()
        self._going = trio.Lock()  # a file must not be closed by one go while another syncs it

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
            await system.run_in_thread(_sync, dirty, retired)


def _sync(dirty: Collection[Syncable], retired: Collection[Syncable]) -> None:
    for file in dirty:
        try:
            file.sync()
        except OSError as error:
            file.suspect = True
            log.error("%s could not be synced: %s", file, error.strerror or error)
    for file in retired:
        file.release()
