"""A world in memory: histories that fail on demand, sockets that the test feeds and reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from edgechat.chat.allowance import Spendable
from edgechat.chat.errors import Close
from edgechat.chat.line import Entry, StoredLine, Token
from edgechat.chat.names import RoomKey
from edgechat.chat.state import Opened
from edgechat.rooms.limiter import AddressAllowance, Limiter, Unlimited
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Registry
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Disconnected, Handler
from edgechat.rooms.storage import Answer
from edgechat.rooms.turn import Turn
from edgechat.settings import Settings
from tests.chat.rooms import BASE, NOW_MS, brief, frames, h_of

Frame = dict[str, Any]
LOBBY = RoomKey("lobby", private=False)


class FakeStorage:
    """Histories in memory. What a `fail_` attribute holds is raised there."""

    works = True
    waits = False  # whether even a quick submission is answered later, as one in a thread is

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files: dict[RoomKey, list[bytes | None]] = {}  # None: a damaged line
        self.base = BASE
        self.fail_open: Exception | None = None
        self.fail_append: Exception | None = None
        self.fail_read: Exception | None = None
        self.may_append = trio.Event()  # cleared by a new one: a slow disk
        self.may_append.set()
        self.appends = 0
        self.reads = 0
        self.page_lines = 1_000  # in one look, at most
        self.looked_up: list[list[int]] = []  # single lines, look by look
        self.open_logs = 0
        self._submitted: list[tuple[FakeLog, Sequence[bytes], Any]] = []
        self._sent: list[tuple[FakeLog, Sequence[bytes], Any]] = []
        self._work = trio.Event()

    def submit(self, log: FakeLog, after: StoredLine, lines: Sequence[bytes], ticket: Any) -> None:
        assert after.seq == log.head(), "two rooms, one file"
        self._submitted.append((log, lines, ticket))

    def send(self) -> Sequence[Answer]:
        submitted, self._submitted = self._submitted, []
        if not self.waits and self.may_append.is_set():
            return self._store(submitted)
        self._sent += submitted
        self._work.set()
        return []

    async def check(self) -> bool:
        return self.works

    async def run(self, answered: Callable[[Sequence[Answer]], None]) -> None:
        """Answer later."""
        while True:
            await self._work.wait()
            self._work = trio.Event()
            await self.may_append.wait()
            answered(self._store_sent())

    def _store_sent(self) -> Sequence[Answer]:
        sent, self._sent = self._sent, []
        return self._store(sent)

    def _store(self, submissions: Sequence[tuple[FakeLog, Sequence[bytes], Any]]) -> list[Answer]:
        return [(ticket, log.store(lines)) for log, lines, ticket in submissions]

    async def open(self, key: RoomKey) -> FakeLog:
        await trio.lowlevel.checkpoint()
        if self.fail_open is not None:
            raise self.fail_open
        self.open_logs += 1
        return FakeLog(self, key)

    def texts(self, key: RoomKey = LOBBY) -> list[str]:
        """What the messages in a file say."""
        return [json.loads(line)["message"] for line in self.files.get(key, []) if line]


class FakeLog:
    """One history in memory."""

    def __init__(self, storage: FakeStorage, key: RoomKey) -> None:
        self._storage = storage
        self._key = key
        entries = self._entries()
        self._base = storage.base
        head, stamp = self._base, 0
        if entries:
            last = entries[-1]
            assert last.line is not None
            head = Token(last.seq, h_of(last.line).hex())
            stamp = json.loads(last.line)["timestamp"]
        recent = entries[-storage.settings.recent_lines :]
        self.opened = Opened(self._base, head, stamp, exists=bool(entries), backlog=recent)

    def head(self) -> int:
        return self._base.seq + len(self._storage.files.get(self._key, []))

    def store(self, lines: Sequence[bytes]) -> Exception | None:
        if self._storage.fail_append is not None:
            return self._storage.fail_append
        file = self._storage.files.setdefault(self._key, [])
        seqs = [json.loads(line)["seq"] for line in lines]
        after = self.head()
        assert seqs == list(range(after + 1, after + 1 + len(lines)))
        file.extend(lines)
        self._storage.appends += 1
        return None

    async def after(self, seq: int, most: int) -> Sequence[Entry]:
        await self._read()
        most = min(most, self._storage.page_lines)
        return [entry for entry in self._entries() if entry.seq > seq][:most]

    async def before(self, seq: int, most: int) -> Sequence[Entry]:
        await self._read()
        return [entry for entry in self._entries() if entry.seq < seq][-most:]

    async def lines(self, seqs: Sequence[int]) -> dict[int, bytes]:
        await self._read()
        self._storage.looked_up.append(list(seqs))
        return {e.seq: e.line for e in self._entries() if e.seq in seqs and e.line is not None}

    async def ids(self, depth: int) -> dict[str, int]:
        await self._read()
        said = {e.seq: json.loads(e.line) for e in self._entries()[-depth:] if e.line}
        return {line["id"]: seq for seq, line in said.items() if "id" in line}

    def close(self) -> None:
        self._storage.open_logs -= 1

    async def _read(self) -> None:
        self._storage.reads += 1
        await trio.lowlevel.checkpoint()
        if self._storage.fail_read is not None:
            raise self._storage.fail_read

    def _entries(self) -> list[Entry]:
        file = self._storage.files.get(self._key, [])
        first = self._storage.base.seq + 1
        return [
            Entry(seq, line, h_of(line) if line else None) for seq, line in enumerate(file, first)
        ]


class FakeSocket:
    """A connection as its other side sees it."""

    def __init__(self, finish_turn: Callable[[], None] = lambda: None) -> None:
        self.finish_turn = finish_turn
        self.received: list[Frame] = []
        self.writes = 0
        self.charged = 0.0  # frames
        self.closed: Close | None = None
        self.reason = ""
        self.is_stuck = False  # takes nothing more: the next write finds the outbox full
        self.may_drain = trio.Event()
        self.may_drain.set()
        self.gone = trio.Event()  # its task has ended
        self.scope = trio.CancelScope()
        self._feed, self._fed = trio.open_memory_channel[list[str | None]](inf)
        self._taken = 0

    # For the server.

    @property
    def sender(self) -> FakeSocket:
        return self

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        """Each feed is a turn."""
        while True:
            try:
                left: Sequence[str | None] = await self._fed.receive()
            except trio.EndOfChannel:
                raise Disconnected from None
            if handler is not None:
                left = handler(left)
                self.finish_turn()
            if left:
                return left

    def charge(self, frames: float) -> None:
        self.charged += frames

    def write(self, data: bytes) -> None:
        if self.is_stuck:
            self.close(Close.SLOW)
        if self.closed is None:
            self.writes += 1
            self.received += frames(data)

    async def drained(self) -> None:
        await trio.lowlevel.checkpoint()
        await self.may_drain.wait()

    def close(self, code: Close, reason: str = "") -> None:
        if self.closed is None:
            self.closed, self.reason = code, reason
            self.scope.cancel()

    # For the test.

    def feed(self, *sent: Frame | str | None) -> None:
        """Send frames in one breath; None is a binary one."""
        texts = [json.dumps(one) if isinstance(one, dict) else one for one in sent]
        self._feed.send_nowait(texts)

    def say(self, text: str, id: str | None = None) -> None:
        self.feed({"message": text} if id is None else {"message": text, "id": id})

    def hang_up(self) -> None:
        self._feed.close()

    def take(self) -> list[Frame]:
        """What came since the last time."""
        new, self._taken = self.received[self._taken :], len(self.received)
        return new

    def briefs(self) -> list[str]:
        """What came since the last time, each frame in a word."""
        return [brief(frame) for frame in self.take()]


class World:
    """A server without a network."""

    def __init__(self, nursery: trio.Nursery, settings: Settings) -> None:
        self.settings = settings
        self.storage = FakeStorage(settings)
        self.turn = Turn(self.storage, now_ms)
        self.rooms = Registry(nursery, self._make_room, settings.max_rooms, "room")
        self.limiters = Registry(nursery, self._make_limiter, settings.max_limiters, "limiter")
        self._nursery = nursery
        nursery.start_soon(self.storage.run, self.turn.answered)

    def connect(
        self, *sent: Frame | str | None, address: str = "a", key: RoomKey = LOBBY
    ) -> FakeSocket:
        """A visitor who sends this at once."""
        socket = FakeSocket(self.turn.finish)
        if sent:
            socket.feed(*sent)
        self._nursery.start_soon(self._serve, socket, address, key)
        return socket

    async def join(
        self, name: str, *, address: str = "a", key: RoomKey = LOBBY, **more: Any
    ) -> FakeSocket:
        """A visitor who has been let in."""
        socket = self.connect({"name": name, **more}, address=address, key=key)
        await wait_all_tasks_blocked()
        return socket

    def room(self) -> Room | None:
        return self.rooms.find(LOBBY)

    async def _serve(self, socket: FakeSocket, address: str, key: RoomKey) -> None:
        room = self.rooms.get(key)
        allowance: Spendable = Unlimited()
        if self.settings.message_interval:
            allowance = AddressAllowance(self.limiters, address)
        with socket.scope:
            await be_member(socket, room, allowance, self.settings)
        socket.gone.set()

    def _make_room(self, key: RoomKey) -> Room:
        return Room(key, self.storage, self.settings, self.turn)

    def _make_limiter(self, address: str) -> Limiter:
        return Limiter(self.settings)


def now_ms() -> int:
    return NOW_MS + round(trio.current_time() * 1000)


@asynccontextmanager
async def a_world(**settings: Any) -> AsyncIterator[World]:
    """A server without a network; its limiter is off unless the settings say otherwise."""
    chosen = replace(Settings(), **{"message_interval": 0.0, **settings})
    async with trio.open_nursery() as nursery:
        yield World(nursery, chosen)
        nursery.cancel_scope.cancel()
