"""A room: one task that owns an inbox, a roster, a history and the fan-out to its members.

It takes whatever waits in its inbox as one batch through its `pipeline`: decided, stored, told. It
never waits for a member.

While it has nothing to do, what members say need not wake it: it goes through the same pipeline at
the end of the turn in which it was read (`turn`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import inf

import trio

from edgechat.chat.commands import Command, Join, Speak, Type
from edgechat.chat.errors import Close, Refusal, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.chat.session import Session
from edgechat.chat.state import RoomState
from edgechat.rooms.fanout import Fanout
from edgechat.rooms.pipeline import Pipeline
from edgechat.rooms.socket import Disconnected, Socket, WriteAll, write_each
from edgechat.rooms.storage import Log, Storage
from edgechat.rooms.turn import Turn
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_NOT_READ = "The server can't read this room's history now. Try again later."
_REASONS = {
    Close.DEFECT: "a defect ended the room: come back to a fresh one",
    Close.RESTART: "the server or the room starts again: come back",
}

_Item = Speak | Type | None  # None only wakes the task


class Room:
    """One room, from its first visitor until it was empty for a while."""

    __slots__ = (
        "_batch",
        "_ended",
        "_ending",
        "_idle_since",
        "_members",
        "_pipeline",
        "_received",
        "_resting",
        "_settings",
        "_storage",
        "_store_at",
        "_turn",
        "_visitors",
        "inbox",
        "key",
        "log",
        "opened",
        "state",
    )

    def __init__(
        self,
        key: RoomKey,
        storage: Storage,
        settings: Settings,
        turn: Turn,
        write_all: WriteAll = write_each,
    ) -> None:
        """`turn` is one for all rooms."""
        self.key = key
        self._storage = storage
        self._settings = settings
        self._turn = turn
        self.inbox, self._received = trio.open_memory_channel[_Item](settings.inbox)
        self.opened = trio.Event()  # set also when opening failed: `log` is None then
        self.log: Log | None = None
        self.state: RoomState
        self._members = Fanout(write_all)
        self._pipeline: Pipeline
        self._batch: list[Command] = []
        self._visitors: dict[object, Socket | None] = {}
        self._idle_since = trio.current_time()
        self._resting = False  # its task waits for something to do, and nobody has woken it
        self._store_at = -inf  # the next time at which something may be stored
        self._ending: Close | None = None
        self._ended = False

    # For members.

    @contextmanager
    def visit(self, socket: Socket | None = None) -> Iterator[None]:
        """While it is visited, a room does not end for being idle; else it closes `socket`."""
        visit = object()
        self._visitors[visit] = socket
        try:
            yield
        finally:
            del self._visitors[visit]
            if not self._visitors:
                self._idle_since = trio.current_time()
                self._wake()

    async def wait_opened(self) -> RoomState:
        """The room's state, once its history is open. Raises `Refusal` where it can't be read."""
        await self.opened.wait()
        if self.log is None:
            raise Refusal("storage_unavailable", _NOT_READ, close=Close.FULL)
        return self.state

    async def join(self, join: Join, socket: Socket) -> bool:
        """Become a member. False: the room went on, and the newcomer has to catch up first.

        Raises `Disconnected` where the room ends.
        """
        if not self._ended:
            arrival = self._members.knock(join, socket)
            self._wake()
            await arrival.admitted.wait()
        if self._ended:
            raise Disconnected
        return not arrival.behind

    async def send(self, command: Speak | Type) -> None:
        """Put a command in the inbox; waits while it is full. Raises `Refusal` (`unavailable`)."""
        try:
            self._put(command)  # saves a task switch, and the reader waits anyway
        except trio.WouldBlock:
            try:
                await self.inbox.send(command)
            except trio.BrokenResourceError:
                raise _unavailable() from None

    def send_nowait(self, command: Speak | Type) -> None:
        """Put a command in the turn, which has to be finished afterwards, or in the inbox.

        Raises `Refusal` (`unavailable`), `trio.WouldBlock`.
        """
        if not (self._resting and self._pipeline.take(command)):
            self._put(command)

    def leave(self, session: Session) -> None:
        """Be no member any more, at once. Never waits; safe at any time, and twice."""
        if self._members.leave(session):
            self._wake()

    def stop(self) -> None:
        """Finish what is in the inbox, send everybody away to come back (1012), and end."""
        self._ending = Close.RESTART
        self._wake()

    # For the directory.

    def is_idle(self) -> bool:
        """Whether nobody is in it or on the way in, and nothing is left to be written."""
        return self._resting and not self._visitors and not self._waiting()

    def expire(self) -> None:
        """End soon."""
        self.stop()

    async def run(self) -> None:
        """Open the history, serve, and end: idle, told to stop, or by a defect."""
        ending: Close | None = Close.DEFECT
        try:
            ending = await self._serve() if await self._open() else None
        finally:
            self._end(ending)

    async def _open(self) -> bool:
        try:
            self.log = await self._storage.open(self.key)
        except StorageUnavailable as error:
            log.error("The history of %s can't be opened: %s", self.key, error)
            return False
        name = self.key.name
        self.state = RoomState(name, self._settings, self.log.opened)
        self.log.opened = replace(self.log.opened, backlog=())  # the room has them, framed
        self._pipeline = Pipeline(
            str(self.key),
            self.state,
            self.log,
            self._members,
            self._settings,
            self._turn.add,
            self._wake,
        )
        self.opened.set()
        return True

    async def _serve(self) -> Close:
        while await self._wait():
            if self._pipeline.defect is not None:
                raise self._pipeline.defect
            if self._batch and self._store_at > -inf:
                await trio.sleep_until(self._store_at)
            commands = self._take()
            if commands or self._count_is_due():
                await self._apply(commands)
            if self._pipeline.changed:
                self._ending = Close.RESTART
            if self._ending is not None and not self._waiting():
                return self._ending
        return Close.RESTART

    def _end(self, code: Close | None) -> None:
        """Nobody is left waiting. Nothing here waits, so that no visitor can slip in between.

        Without a code nobody is sent away: `wait_opened` refuses them, and says why.
        """
        self._ended = True
        self._resting = False  # cancelled while it waited: nobody may write to a log that is closed
        self.opened.set()
        self._received.close()
        self._members.send_home()
        for socket in self._visitors.values():
            if socket is not None and code is not None:
                socket.close(code, _REASONS[code])
        if self.log is not None:
            self.log.close()
            del self._pipeline  # it knows how to wake this room: a cycle, with all recent lines

    # Waiting for work.

    async def _wait(self) -> bool:
        """Until there is something to do. False: nobody was here for long enough."""
        deadline = self._deadline()
        item: _Item = None
        self._resting = not self._waiting()
        if deadline == inf:
            item = await self._received.receive()
        else:
            with trio.move_on_at(deadline):
                item = await self._received.receive()
        self._resting = False
        self._batch = [] if item is None else [item]
        return bool(self._visitors) or self._waiting() or trio.current_time() < self._idle_until()

    def _waiting(self) -> bool:
        """Whether there is a command that nobody has looked at."""
        return bool(self._batch) or self._received.statistics().current_buffer_used > 0

    def _deadline(self) -> float:
        deadline = inf if self._visitors else self._idle_until()
        return min(deadline, self._members.change_at(), self.state.roster.due())

    def _idle_until(self) -> float:
        return self._idle_since + self._settings.room_idle

    def _count_is_due(self) -> bool:
        return self.state.roster.due() <= trio.current_time()

    def _take(self) -> list[Command]:
        """All that waits, as one batch; comings and goings last, and not too often."""
        batch, self._batch = self._batch, []
        with suppress(trio.WouldBlock):
            while len(batch) < self._settings.batch:
                item = self._received.receive_nowait()
                if item is not None:
                    batch.append(item)
        return batch + self._members.take_changes(trio.current_time())

    def _put(self, command: Speak | Type) -> None:
        """Into the inbox. Raises `WouldBlock`, `Refusal`."""
        if self._ending is not None:  # else a flood could keep it from ever ending
            raise _unavailable()
        self._resting = False
        try:
            self.inbox.send_nowait(command)
        except trio.BrokenResourceError:
            raise _unavailable() from None

    def _wake(self) -> None:
        """A full inbox wakes the task as well; one that ended needs no waking."""
        self._resting = False
        with suppress(trio.WouldBlock, trio.BrokenResourceError):
            self.inbox.send_nowait(None)

    # Doing it.

    async def _apply(self, commands: Sequence[Command]) -> None:
        assert self.log is not None
        stored = await self._pipeline.apply(commands, self._turn.now_ms(), trio.current_time())
        if stored and self.log.pause:
            self._store_at = trio.current_time() + self.log.pause


def _unavailable() -> Refusal:
    return Refusal("unavailable", "This room is starting again: reconnect.")
