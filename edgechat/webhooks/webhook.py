"""A webhook at work: one task that reads a room's lines at its target's speed, and posts them.

It reads from the room as a follower by events does, from a position of its own on disk. What the
target does not take is not skipped: the order is kept. A line is posted again where it is not known
whether the target has it (a cut connection, a power loss), under the same id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from edgechat import system
from edgechat.chat.errors import Refusal, StorageUnavailable
from edgechat.chat.names import RoomKey
from edgechat.rooms.defects import contain
from edgechat.rooms.follow import find_start, read_next
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings
from edgechat.webhooks.answer import Fate
from edgechat.webhooks.delivery import Delivery
from edgechat.webhooks.event import Event, line_event, reset_event
from edgechat.webhooks.files import Position, position_file, read_position, write_position
from edgechat.webhooks.hook import Hook
from edgechat.webhooks.visit import Visit

log = logging.getLogger(__name__)

_PAUSE = 1.0  # seconds before a room that ended is opened again


class Webhook:
    """One webhook, its position, and the room while it is followed."""

    def __init__(self, hook: Hook, delivery: Delivery, settings: Settings) -> None:
        self.delivery = delivery
        self._hook = hook
        self._settings = settings
        self._path = position_file(settings.data, hook)
        self._position: Position | None = None
        self._room: Room | None = None

    @property
    def behind(self) -> int:
        """How many lines the target does not have yet, as far as that is known."""
        if self._room is None or self._position is None:
            return 0
        return max(self._room.state.last.seq - self._position.seq, 0)

    async def run(self, rooms: Registry[RoomKey, Room], is_open: Callable[[], bool]) -> None:
        """Post what is said, until the server stops or the target wants no more."""
        try:
            self._position = await system.run_in_thread(read_position, self._path)
        except (OSError, ValueError) as error:
            log.error("The webhook %s does not run: %s: %s", self.delivery, self._path.name, error)
            return
        while is_open() and not (self._position and self._position.ended):
            with contain("a webhook"):
                try:
                    await self._visit(rooms)
                finally:
                    self._room = None
                    await self.delivery.rest()
            if is_open():
                await trio.sleep(_PAUSE)

    async def _visit(self, rooms: Registry[RoomKey, Room]) -> None:
        try:
            room, visit = rooms.get(self._hook.key), Visit()
            with room.visit(visit):
                await room.wait_opened()
                self._room = room
                try:
                    room.fanout.watch(visit.ring)
                    await self._follow(room, visit)
                finally:
                    room.fanout.unwatch(visit.ring)
        except (Full, Refusal, StorageUnavailable) as failure:
            log.warning("The webhook %s waits for the room: %s", self.delivery, failure)

    async def _follow(self, room: Room, visit: Visit) -> None:
        """Everything after the position; a webhook that never ran begins with what comes."""
        if self._position is None:
            await self._move(*room.state.head)
        assert self._position is not None
        look, backlog = room.history.after, self._settings.backlog
        start = await find_start(room, look, self._position.since, backlog)
        if start.reset is not None:
            event = reset_event(self._hook, start, system.now_ms())
            if not await self._deliver(event, visit):
                return
        while not visit.is_over:
            visit.listen()
            lines = await read_next(room, look, self._position.seq)
            for line in lines:
                event = line_event(self._hook, line, system.now_ms())
                if not await self._deliver(event, visit):
                    return
            if not lines:
                await self.delivery.rest()
                await visit.wait()

    async def _deliver(self, event: Event, visit: Visit) -> bool:
        """Whether the target has it, and may have the next one."""
        fate = await self.delivery.deliver(event, visit)
        if fate is Fate.DELIVERED:
            await self._move(event.seq, event.h)
        elif fate is Fate.GONE and self._position is not None:
            await self._move(self._position.seq, self._position.h, ended=True)
            text = "The webhook %s ends: it answered 410. To begin anew, remove its file %s."
            log.error(text, self.delivery, self._path.name)
        return fate is Fate.DELIVERED

    async def _move(self, seq: int, h: str | None, *, ended: bool = False) -> None:
        """Store the position, whatever is cancelled meanwhile: the target has the line already."""
        self._position = Position(self._hook.key.name, self._hook.url, seq, h, ended)
        with trio.CancelScope(shield=True):
            try:
                await system.run_in_thread(write_position, self._path, self._position)
            except OSError as error:
                text = "The position of the webhook %s could not be stored: %s. It goes on."
                log.error(text, self.delivery, error.strerror or error)
