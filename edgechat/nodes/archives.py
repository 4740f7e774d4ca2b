"""The histories on this node's disk, one for each room: what a storage of files keeps, kept level.

Each node has all of them. A file has one user at a time here: the room that is open, or whoever
brings a closed one's file up to the engine's head.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple

import trio

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Entry, StoredLine
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.history.data_folder import DataFolder
from edgechat.nodes import history_files
from edgechat.nodes.chain import Point, point_of
from edgechat.nodes.keys import RoomKeys, keys_of
from edgechat.rooms.storage import Answer, Log, Storage

log = logging.getLogger(__name__)

Args = TypeVarTuple("Args")
Result = TypeVar("Result")


class Files(Storage, Protocol):
    """A storage of files: `history.history.Histories`."""

    async def run(self, answered: Callable[[Sequence[Answer]], None]) -> None:
        """Answer what could not be answered at once, for ever."""


class _Ticket:
    """One write that is waited for."""

    __slots__ = ("answered", "failure")

    def __init__(self) -> None:
        self.answered = trio.Event()
        self.failure: Exception | None = None


class Archives:
    """All rooms' histories in one data folder."""

    def __init__(self, files: Files, folder: DataFolder) -> None:
        self._files = files
        self._folder = folder
        self._held: dict[RoomKey, trio.Semaphore] = {}

    async def take(self, key: RoomKey) -> Callable[[], None]:
        """Wait until nobody else has that room's file; call what this returns to give it back."""
        held = self._held.setdefault(key, trio.Semaphore(1))
        await held.acquire()

        def give_back() -> None:
            held.release()
            if held.value and self._held.get(key) is held:
                del self._held[key]

        return give_back

    def is_free(self, key: RoomKey) -> bool:
        """Whether nobody has that room's file."""
        return key not in self._held

    @asynccontextmanager
    async def hold(self, key: RoomKey) -> AsyncIterator[None]:
        """`take` it for a block."""
        give_back = await self.take(key)
        try:
            yield
        finally:
            give_back()

    async def open(self, key: RoomKey) -> Archive:
        """Open a room's file, which is held. Raises `StorageUnavailable`."""
        return Archive(self, key, await self._files.open(key))

    async def write(self, file: Log, after: Point, lines: Sequence[bytes]) -> None:
        """Store lines at the chosen durability. Raises `StorageUnavailable`."""
        ticket = _Ticket()
        self._files.submit(file, StoredLine(after.seq, after.h, 0, b""), lines, ticket)
        await trio.lowlevel.checkpoint()  # others do the same: one look at the folder for all
        self.answered(self._files.send())
        await ticket.answered.wait()
        if ticket.failure is not None:
            raise ticket.failure

    def answered(self, answers: Sequence[Answer]) -> None:
        """What the files' storage is started with."""
        for ticket, failure in answers:
            ticket.failure = failure
            ticket.answered.set()

    def path(self, key: RoomKey) -> Path:
        """Where that room's history is."""
        return self._folder.history(key)

    def rooms(self, ids: PrivateIds) -> list[RoomKey]:
        """Those that have a file. Raises `OSError`. For a worker thread."""
        return list(history_files.kept_rooms(self._folder, ids))

    async def begin(self, key: RoomKey, header: bytes) -> None:
        """Make a room's file, of its header alone. Raises `StorageUnavailable`."""
        await in_thread(history_files.begin, self.path(key), header)

    async def set_aside(self, key: RoomKey, common: Point | None, last: int) -> None:
        """A closed room's file goes on otherwise than the room: what is behind `common` leaves it.

        Raises `StorageUnavailable`.
        """
        await in_thread(history_files.set_aside, self.path(key), common.seq if common else None)
        lost = last - common.seq if common else last
        log.error(
            "The history of %s on this node has %d lines that are not the room's: another node "
            "said others in their place. They are kept beside it, *.forked-*.",
            key,
            lost,
        )


class Archive:
    """One room's file, open; a `level.Chain`. `close` it."""

    def __init__(self, archives: Archives, key: RoomKey, file: Log) -> None:
        self.keys: RoomKeys = keys_of(key)
        self.file = file
        self._key = key
        self._archives = archives
        self.tip = point_of(file.opened.head)

    @property
    def base(self) -> Point:
        """Before the first line."""
        return point_of(self.file.opened.base)

    @property
    def is_new(self) -> bool:
        """Whether there is no file."""
        return not self.file.opened.exists

    async def header(self) -> bytes:
        """The file's first line."""
        return await in_thread(history_files.read_header, self._archives.path(self._key))

    async def entries(self, after: int, most: int) -> Sequence[Entry]:
        """See `level.Chain`."""
        return await self.file.after(after, most)

    async def take(self, lines: Sequence[StoredLine]) -> None:
        """Write them."""
        await self.write([line.line for line in lines], Point(lines[-1].seq, lines[-1].h))

    async def write(self, lines: Sequence[bytes], last: Point) -> None:
        """Write lines, the last of which is `last`. Raises `StorageUnavailable`."""
        await self._archives.write(self.file, self.tip, lines)
        self.tip = last

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


async def in_thread(do: Callable[[*Args], Result], *args: *Args) -> Result:
    """Do it in a worker thread. Raises `StorageUnavailable` where the disk fails."""
    try:
        return await system.run_in_thread(do, *args)
    except OSError as error:
        raise StorageUnavailable(error.strerror or str(error)) from None
