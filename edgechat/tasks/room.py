"""A room: one task that owns an inbox, a roster, a history and the fan-out to its members.

It takes whatever waits in its inbox as one batch, decides (`core.draft`), appends the batch's
lines to the history in one write, and only then tells everybody (`core.settle`), one write to
each member. It never waits for a member.

Where few are in a room that has nothing to do, whoever speaks runs that batch itself: waking the
room's task for it would cost more than the batch (`docs/decisions/0006-small-rooms.md`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import inf

import trio

from edgechat.core.chatroom import Chatroom
from edgechat.core.commands import Command, Join, Speak, Type
from edgechat.core.draft import draft, repeats
from edgechat.core.errors import Close, HistoryChanged, Refusal, StorageUnavailable
from edgechat.core.known import KnownIds
from edgechat.core.names import RoomKey
from edgechat.core.session import Session
from edgechat.core.settle import settle
from edgechat.settings import Settings
from edgechat.tasks.members import Members
from edgechat.tasks.socket import Disconnected, Socket, WriteAll, write_each
from edgechat.tasks.storage import Log, Storage

log = logging.getLogger(__name__)

_NOT_STORED = "The server could not store this message, so nobody saw it. Try again later."
_NOT_READ = "The server can't read this room's history now. Try again later."
_REASONS = {
    Close.DEFECT: "a defect ended the room: come back to a fresh one",
    Close.RESTART: "the server or the room starts again: come back",
}

_Item = Speak | Type | None  # None only wakes the task


class Room:
    """One room, from its first visitor until it was empty for a while."""

    def __init__(
        self,
        key: RoomKey,
        storage: Storage,
        settings: Settings,
        now_ms: Callable[[], int],
        write_all: WriteAll = write_each,
    ) -> None:
        """`now_ms` reads the wall clock: Unix time in ms."""
        self.key = key
        self._storage = storage
        self._settings = settings
        self._now_ms = now_ms
        self.inbox, self._received = trio.open_memory_channel[_Item](settings.inbox)
        self.opened = trio.Event()  # set also when opening failed: `log` is None then
        self.log: Log | None = None
        self.state: Chatroom
        self._members = Members(write_all)
        self._batch: list[Command] = []
        self._visitors: dict[object, Socket | None] = {}
        self._idle_since = trio.current_time()
        self._resting = False  # its task waits for something to do, and nobody has woken it
        self._defect: Exception | None = None  # of a batch that was run for the task
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

    async def wait_opened(self) -> Chatroom:
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

    async def send(self, command: Speak | Type, *, alone: bool = False) -> None:
        """Put a command in the inbox; waits while it is full. Raises `Refusal` (`unavailable`).

        `alone`: no more of the same sender's follow at once.
        """
        if self._ending is not None:  # else a flood could keep it from ever ending
            raise _unavailable()
        if alone and self._resting and self._members.few and self._needs_no_wait(command):
            self._apply_now(command)
            return
        self._resting = False
        try:
            try:
                self.inbox.send_nowait(command)  # saves a task switch, and the reader waits anyway
            except trio.WouldBlock:
                await self.inbox.send(command)
        except trio.BrokenResourceError:
            raise _unavailable() from None

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
        self.state = Chatroom(name, self._settings, self.log.opened)
        self.log.opened = replace(self.log.opened, recent=())  # the room has them, framed
        self.opened.set()
        return True

    async def _serve(self) -> Close:
        while await self._wait():
            if self._defect is not None:
                raise self._defect
            if self._batch and self._store_at > -inf:
                await trio.sleep_until(self._store_at)
            commands = self._take()
            if commands or self._count_is_due():
                await self._apply(commands)
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

    def _wake(self) -> None:
        """A full inbox wakes the task as well; one that ended needs no waking."""
        self._resting = False
        with suppress(trio.WouldBlock, trio.BrokenResourceError):
            self.inbox.send_nowait(None)

    # Doing it.

    async def _apply(self, commands: Sequence[Command]) -> None:
        now = trio.current_time()
        old: dict[int, bytes] = {}
        failure = None
        try:
            old = await self._recall(commands)
        except StorageUnavailable as error:
            failure = self._not_stored(error)
        drafted = draft(self.state, commands, self._now_ms(), now, old)
        if failure is None and drafted.lines:
            failure = await self._store(drafted.lines)
        self._members.deliver(settle(self.state, drafted, now, failure))

    def _needs_no_wait(self, command: Speak | Type) -> bool:
        """Whether all that it takes to apply one command is in memory."""
        assert self.log is not None
        if self.log.waits:
            return False
        if type(command) is not Speak or (id := command.say.id) is None:
            return True
        known = self.state.known
        return known is not None and known.find(id, self.state.last.seq) is None

    def _apply_now(self, command: Speak | Type) -> None:
        """A batch of one, in the task of its sender. A defect is the room's, not the sender's."""
        assert self.log is not None
        now = trio.current_time()
        failure = None
        try:
            drafted = draft(self.state, (command,), self._now_ms(), now, {})
            try:
                if drafted.lines:
                    self.log.append_nowait(drafted.lines)
            except StorageUnavailable as error:
                failure = self._not_stored(error)
            self._members.deliver(settle(self.state, drafted, now, failure))
        except Exception as defect:
            self._defect = defect
        if self._defect is not None or self._ending is not None:
            self._wake()

    async def _recall(self, commands: Sequence[Command]) -> dict[int, bytes]:
        """What the rules need to know of earlier messages, beyond what is in memory."""
        assert self.log is not None
        if self.state.known is None and any(
            type(command) is Speak and command.say.id is not None for command in commands
        ):
            depth = self._settings.known_ids
            self.state.known = KnownIds(depth, await self.log.ids(depth))
        old: dict[int, bytes] = {}
        for seq in repeats(self.state, commands):
            for entry in await self.log.after(seq - 1, 1):
                if entry.line is not None:
                    old[seq] = entry.line
        return old

    async def _store(self, lines: Sequence[bytes]) -> Refusal | None:
        """Append the batch's lines; the refusal for their senders where that fails."""
        assert self.log is not None
        try:
            await self.log.append(lines)
            if self.log.pause:
                self._store_at = trio.current_time() + self.log.pause
        except StorageUnavailable as error:
            return self._not_stored(error)
        return None

    def _not_stored(self, error: StorageUnavailable) -> Refusal:
        log.error("Messages in %s could not be stored: %s", self.key, error)
        if isinstance(error, HistoryChanged):
            self._ending = Close.RESTART
        return Refusal("storage_unavailable", _NOT_STORED)


def _unavailable() -> Refusal:
    return Refusal("unavailable", "This room is starting again: reconnect.")
