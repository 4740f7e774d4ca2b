"""What a room was asked in one go, on its way through the steps.

It is recalled (what its repeats need is read from the history; the only step that waits), decided
(what each message becomes), stored, applied (the room's state changes) and told (one write to each
member). Each step takes what the one before it returned; `turn` takes them for many rooms together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from edgechat.chat.apply import Outcome, apply
from edgechat.chat.commands import Command, Speak
from edgechat.chat.draft import NO_LINES, Draft, charge, draft, said_before
from edgechat.chat.errors import HistoryChanged, Refusal, StorageUnavailable
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.state import RoomState
from edgechat.rooms.fanout import Fanout
from edgechat.rooms.storage import Log
from edgechat.settings import Settings

_NOT_STORED = "The server could not store this message, so nobody saw it. Try again later."


class Owner(Protocol):
    """The room, as far as its batches know it."""

    state: RoomState
    history: Log
    fanout: Fanout

    def begin_work(self) -> None:
        """A batch is submitted: nothing else is until `rest`."""

    def rest(self) -> None:
        """The batch is told: the next one may begin."""

    def stop(self) -> None:
        """End, and send everybody away to come back (1012)."""

    def spoil(self, defect: Exception) -> None:
        """A step went wrong: end by this defect."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """The commands of one room in one go, and the lines of those that were said before, by id."""

    owner: Owner
    commands: Sequence[Command]
    repeated: Mapping[str, bytes | None] = NO_LINES  # None: it was not looked up

    def decide(self, now_ms: int, now: float) -> Draft:
        """What each message becomes. `now_ms` is Unix time, `now` a clock's seconds."""
        waits = charge(self.commands, self.repeated, now)
        return draft(self.owner.state, self.commands, waits, self.repeated, now_ms)

    def apply(self, draft: Draft, failure: Exception | None, now: float) -> Outcome:
        """Change the room as the draft says. `failure` is the storage's answer."""
        refusal = None if failure is None else self._refusal(failure)
        return apply(self.owner.state, draft, now, refusal)

    def tell(self, outcome: Outcome) -> None:
        """Write to each member, and answer whoever is not one."""
        self.owner.fanout.deliver(outcome)

    def _refusal(self, failure: Exception) -> Refusal:
        if not isinstance(failure, StorageUnavailable):
            raise failure
        if isinstance(failure, HistoryChanged):
            self.owner.stop()  # the next visit opens the history anew
        return Refusal("storage_unavailable", _NOT_STORED)


def begin(owner: Owner, commands: Sequence[Command]) -> Batch | None:
    """A batch for which all is in memory that it needs; None if it has to be recalled first."""
    for command in commands:
        if type(command) is Speak and command.say.id is not None:
            return _begin_with_ids(owner, commands)
    return Batch(owner, commands)


def _begin_with_ids(owner: Owner, commands: Sequence[Command]) -> Batch | None:
    earlier = said_before(owner.state, commands)
    if earlier is None:
        return None
    backlog = owner.state.backlog
    lines = {id: line for id, seq in earlier.items() if (line := backlog.line(seq)) is not None}
    return Batch(owner, commands, lines) if len(lines) == len(earlier) else None


async def recall(owner: Owner, commands: Sequence[Command], settings: Settings) -> Batch:
    """A batch, after a look into the history.

    Of the lines that are not in memory it looks at `repeats_at_once`, all in one go: the room
    waits for that. Raises `StorageUnavailable`.
    """
    state, depth = owner.state, settings.known_ids
    earlier = said_before(state, commands)
    if earlier is None:
        state.seen_ids = SeenIds(depth, await owner.history.ids(depth))
        earlier = said_before(state, commands)
        assert earlier is not None
    lines: dict[str, bytes | None] = {id: state.backlog.line(seq) for id, seq in earlier.items()}
    far = [id for id, line in lines.items() if line is None]
    if near := far[: settings.repeats_at_once]:
        read = await owner.history.lines([earlier[id] for id in near])
        for id in near:
            lines[id] = read.get(earlier[id])
            if lines[id] is None:  # it is damaged, and the message is a new one
                del lines[id]
    return Batch(owner, commands, lines)
