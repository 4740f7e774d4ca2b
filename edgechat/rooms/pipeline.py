"""What a room does with a batch, step by step: nobody is told of it before it is stored.

    decide   what each message becomes (`chat.draft`); changes nothing but allowances
    store    the lines go to the history in one write, all or none
    settle   the room's state changes (`chat.apply`)
    tell     one write to each member

A room's task takes these steps with what waited in its inbox, and may wait on the way. What came
in one turn of the poller's loop goes through them without waiting, for all rooms together (`turn`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from edgechat.chat.apply import Outcome, apply
from edgechat.chat.commands import Command, Speak, Type
from edgechat.chat.draft import Draft, draft, repeats
from edgechat.chat.errors import HistoryChanged, Refusal, StorageUnavailable
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.state import RoomState
from edgechat.rooms.fanout import Fanout
from edgechat.rooms.storage import Log
from edgechat.settings import Settings

log = logging.getLogger(__name__)

_NOTHING: Mapping[int, bytes] = {}
_NOT_STORED = "The server could not store this message, so nobody saw it. Try again later."


class Pipeline:
    """One room's, for as long as its history is open.

    One batch is in it at a time: while the room's task takes one through it and waits on the way,
    nothing is said in a turn, as the room is not resting.
    """

    __slots__ = (
        "_drafted",
        "_enlist",
        "_failure",
        "_log",
        "_members",
        "_name",
        "_now",
        "_outcome",
        "_settings",
        "_state",
        "_wake",
        "changed",
        "defect",
        "said",
    )

    def __init__(
        self,
        name: str,
        state: RoomState,
        log: Log,
        members: Fanout,
        settings: Settings,
        enlist: Callable[[Pipeline], None],
        wake: Callable[[], None],
    ) -> None:
        """`name` is for the log; `enlist` tells the turn that something was said here, and `wake`
        the room's task of `changed` or `defect`.
        """
        self.said: list[Command] = []  # in this turn
        self.changed = False  # the history is not the one that was opened
        self.defect: Exception | None = None  # in a turn: the room has to end
        self._name = name
        self._state = state
        self._log = log
        self._members = members
        self._settings = settings
        self._enlist = enlist
        self._wake = wake
        self._now = 0.0
        self._drafted: Draft
        self._failure: Refusal | None = None
        self._outcome: Outcome

    def take(self, command: Speak | Type) -> bool:
        """Take a command into this turn, if all that it takes to apply it is in memory."""
        said = self.said
        if len(said) >= self._settings.inbox or (not said and self._log.waits):
            return False
        if type(command) is Speak and (id := command.say.id) is not None:
            known = self._state.seen_ids
            if known is None or known.find(id, self._state.last.seq) is not None:
                return False
        if not said:
            self._enlist(self)
        said.append(command)
        return True

    async def apply(self, commands: Sequence[Command], now_ms: int, now: float) -> bool:
        """All steps; returns whether lines were stored.

        `now_ms` is Unix time; `now`, in seconds, a clock that never goes back.
        """
        failure = None
        old: Mapping[int, bytes] = {}
        try:
            old = await self._recall(commands)
        except StorageUnavailable as error:
            failure = self._not_stored(error)
        self._drafted = draft(self._state, commands, now_ms, now, old)
        self._now, self._failure = now, failure
        lines = self._drafted.lines
        if failure is None and lines:
            try:
                await self._log.append(lines)
            except StorageUnavailable as error:
                self._failure = self._not_stored(error)
        self.settle()
        self.tell()
        return bool(lines) and self._failure is None

    def decide_said(self, now_ms: int, now: float) -> None:
        """The first step, for what was said in this turn."""
        said, self.said, self._now = self.said, [], now
        self._drafted = draft(self._state, said, now_ms, now, _NOTHING)

    def store_nowait(self) -> None:
        """The second step, where the history does not wait."""
        self._failure = None
        if self._drafted.lines:
            try:
                self._log.append_nowait(self._drafted.lines)
            except StorageUnavailable as error:
                self._failure = self._not_stored(error)
                self._wake()

    def settle_stored(self) -> None:
        """The third step, after a look at where the files are."""
        if self._drafted.lines and self._failure is None:
            try:
                self._log.confirm()
            except StorageUnavailable as error:
                self._failure = self._not_stored(error)
                self._wake()
        self.settle()

    def settle(self) -> None:
        """The third step, where lines are stored for good."""
        self._outcome = apply(self._state, self._drafted, self._now, self._failure)

    def tell(self) -> None:
        """The last step. Nothing is kept of a batch: a crowd's welcomes are large."""
        outcome = self._outcome
        del self._drafted, self._outcome
        self._members.deliver(outcome)

    def spoil(self, defect: Exception) -> None:
        """A step went wrong in a turn: that is the room's own affair."""
        self.defect = defect
        self._wake()

    async def _recall(self, commands: Sequence[Command]) -> dict[int, bytes]:
        """What the rules need to know of earlier messages, beyond what is in memory."""
        state = self._state
        if state.seen_ids is None and any(
            type(command) is Speak and command.say.id is not None for command in commands
        ):
            depth = self._settings.known_ids
            state.seen_ids = SeenIds(depth, await self._log.ids(depth))
        old: dict[int, bytes] = {}
        for seq in repeats(state, commands):
            for entry in await self._log.after(seq - 1, 1):
                if entry.line is not None:
                    old[seq] = entry.line
        return old

    def _not_stored(self, error: StorageUnavailable) -> Refusal:
        log.error("Messages in %s could not be stored: %s", self._name, error)
        self.changed = self.changed or isinstance(error, HistoryChanged)
        return Refusal("storage_unavailable", _NOT_STORED)
