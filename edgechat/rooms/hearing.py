"""A room's ear: what other servers tell, told here when no batch is under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import trio

from edgechat.chat.commands import Command
from edgechat.chat.errors import HistoryChanged
from edgechat.chat.hear import hear, hear_news
from edgechat.chat.state import RoomState
from edgechat.rooms.actor import Actor
from edgechat.rooms.fanout import Fanout
from edgechat.rooms.phase import RESTING
from edgechat.rooms.storage import Log


class Hearing(Actor):
    """An actor whose history others may write to as well.

    A batch is drafted from the room's head, so that must not move between the draft and its answer:
    what is heard meanwhile waits in the log.
    """

    __slots__ = ("_again", "_hears", "_shown")

    state: RoomState
    history: Log
    fanout: Fanout

    def __init__(self, size: int, join_turn: Callable[[Any], None]) -> None:
        """See `Actor`."""
        super().__init__(size, join_turn)
        self._hears = False  # there is something in the log that was not told
        self._shown = 0  # comings and goings that others were told of
        self._again: list[Command] = []  # to be decided once more

    def hear(self) -> None:
        """The storage has heard something: a `rooms.storage.Wake`."""
        self._hears = True
        if self.phase is RESTING:
            self._try_to_tell()

    def again(self, commands: Sequence[Command]) -> None:
        """Decide these once more: the room's own task does, before all else."""
        self._again += commands
        self.wake()

    def rest(self) -> None:
        """The batch is told: so is what was heard meanwhile, and then see `Actor`."""
        if self._hears:
            self._try_to_tell()
        super().rest()

    def show(self) -> None:
        """Others are told who is here, if that changed."""
        if self._shown != self.state.roster.changes:
            self._shown = self.state.roster.changes
            self.history.show(self.state.roster.here)

    def take_again(self) -> list[Command]:
        """Move to the newest line that was heard; returns what is to be decided from there."""
        if self._hears:
            self._tell_heard()
        again, self._again = self._again, []
        return again

    def _try_to_tell(self) -> None:
        """Never raises; a defect ends the room."""
        try:
            self._tell_heard()
        except Exception as defect:
            self.spoil(defect)

    def _tell_heard(self) -> None:
        self._hears = False
        try:
            lines = self.history.heard()
        except HistoryChanged:
            self.stop()
        else:
            if lines:
                self.fanout.deliver(hear(self.state, lines))
            if news := self.history.news():
                self.fanout.deliver(hear_news(self.state, news, trio.current_time()))
                if self.state.roster.stale:
                    self.wake()  # a count is to be told later
