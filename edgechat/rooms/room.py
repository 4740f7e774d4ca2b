"""A room: one task that owns a mailbox, a roster, a history and the fan-out to its members.

What is asked of a room goes into its mailbox, a memory channel. While the room rests, whatever was
put there in a turn of the poller is drained by that turn (`turn`), for all rooms together, without
waking this task. Where something has to be waited for (the history, people who come and go, an
end), this task drains the same mailbox and drives the same steps. It never waits for a member.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import trio

from edgechat.chat.commands import Command, Join, Speak
from edgechat.chat.errors import Close, Refusal, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.chat.session import Session
from edgechat.chat.state import RoomState
from edgechat.rooms.actor import unavailable
from edgechat.rooms.batch import Batch, begin, recall
from edgechat.rooms.fanout import Fanout
from edgechat.rooms.hearing import Hearing
from edgechat.rooms.phase import RESTING, WORKING, Phase
from edgechat.rooms.socket import Disconnected, Socket, Stream, WriteAll, write_each
from edgechat.rooms.storage import Storage
from edgechat.rooms.turn import Turn
from edgechat.rooms.visitors import Visitors
from edgechat.settings import Settings

log = logging.getLogger(__name__)
_NOT_READ = "The server can't read this room's history now. Try again later."


class Room(Hearing):
    """One room, from its first visitor until it was empty for a while."""

    __slots__ = (
        "_is_open",
        "_settings",
        "_storage",
        "_turn",
        "fanout",
        "history",
        "key",
        "opened",
        "state",
        "visitors",
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
        super().__init__(settings.inbox, turn.add)
        self.key = key
        self.opened = trio.Event()  # set also where opening failed: `wait_opened` says so
        self.fanout = Fanout(write_all)
        self._storage = storage
        self._settings = settings
        self._turn = turn
        self.visitors = Visitors(settings.room_idle)
        self._is_open = False

    @contextmanager
    def visit(self, socket: Socket | Stream | None = None) -> Iterator[None]:
        """Keep the room alive. If it ends for another reason, `socket` is closed."""
        visit = self.visitors.add(socket)
        try:
            yield
        finally:
            if self.visitors.remove(visit):
                self.wake()

    async def wait_opened(self) -> RoomState:
        """The room's state, once its history is open. Raises `Refusal` where it can't be read."""
        await self.opened.wait()
        if not self._is_open:
            raise Refusal("storage_unavailable", _NOT_READ, close=Close.FULL)
        return self.state

    async def join(self, join: Join, socket: Socket) -> bool:
        """Become a member; False: catch up first, as the room went on. Raises `Disconnected`."""
        if self.phase is not Phase.ENDED:
            arrival = self.fanout.knock(join, socket)
            self.wake()
            await arrival.admitted.wait()
        if self.phase is Phase.ENDED:
            raise Disconnected
        return not arrival.behind

    def leave(self, session: Session) -> None:
        """Be a member no longer, at once. Never waits; safe at any time, and twice."""
        if self.fanout.leave(session):
            self.wake()

    async def ask(self, speak: Speak) -> bytes:
        """Say something without being a member. Returns the stored line, or raises `Refusal`."""
        if not self._is_open:  # else not even a turn of the loop is waited for
            await self.wait_opened()
        reply = self.fanout.expect(speak.session)
        try:
            await self.post(speak)
            return await reply.wait()
        finally:
            self.fanout.forget(speak.session)

    def is_idle(self) -> bool:
        """Whether nobody is in it or on the way in, and nothing is left to be written."""
        return self.phase is RESTING and not self.visitors and not self.waiting

    async def run(self) -> None:
        """Open the history, serve, and end: idle, told to stop, or by a defect."""
        ending: Close | None = Close.DEFECT
        try:
            ending = await self._serve() if await self._open() else None
        finally:
            self._end(ending)

    def take_nowait(self) -> Batch | None:
        """What waits in the mailbox; where it needs the history, the room's task gets it."""
        if self.phase is not RESTING or not self.waiting:
            return None
        commands = self.drain(self._settings.batch)
        if self.waiting:
            self._join_turn(self)
        batch = begin(self, commands)
        if batch is None:
            self.hand_over(commands)
        return batch

    async def _open(self) -> bool:
        try:
            self.history = await self._storage.open(self.key, self.hear)
        except StorageUnavailable as error:
            log.error("The history of %s can't be opened: %s", self.key, error)
            return False
        self.state = RoomState(self.key.name, self._settings, self.history.opened)
        self.history.opened = replace(self.history.opened, backlog=())  # the room has it, framed
        if self.phase is Phase.OPENING:
            self.phase = WORKING
        self._is_open = True
        self.opened.set()
        return True

    async def _serve(self) -> Close:
        while (commands := await self._next()) is not None:
            failure = None
            try:
                batch = await recall(self, commands, self._settings)
            except StorageUnavailable as error:
                batch, failure = Batch(self, commands), error
            self._turn.run([batch], failure)
        return Close.RESTART

    async def _next(self) -> list[Command] | None:
        """What the task has to do next; None where the room is over."""
        while True:
            await self.wait_rested()
            self.show()  # not earlier: who came or went with a line is there when that is stored
            commands = self._take(trio.current_time())
            if commands is not None:
                return commands
            if self.phase is Phase.CLOSING or self.visitors.idle_until() <= trio.current_time():
                return None
            commands = await self.park(self._deadline())
            if commands is not None:
                return commands

    def _take(self, now: float) -> list[Command] | None:
        """All that waits; comings and goings last, and not too often. None: nothing is due."""
        commands = self.take_again()
        commands += self.drain(self._settings.batch) + self.fanout.take_changes(now)
        return commands if commands or self.state.roster.due() <= now else None

    def _deadline(self) -> float:
        due = self.state.roster.due()
        return min(self.visitors.idle_until(), self.fanout.change_at(), due)

    def _end(self, code: Close | None) -> None:
        """Leave nobody waiting. This does not wait, so that no visitor can come in between.

        Without a code nobody is sent away: `wait_opened` refuses them, and says why.
        """
        self.close()
        self.opened.set()
        self.fanout.end(unavailable())
        if code is not None:
            self.visitors.send_away(code)
        if self._is_open:
            self.history.close()
