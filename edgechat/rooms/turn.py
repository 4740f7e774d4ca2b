"""One turn of the loop that reads from everybody: what was said in it, in all rooms.

A turn has two halves: all rooms decide and submit; then, when the storage has answered, all apply
and tell. Each step is taken for all rooms before the next one begins. That is what small rooms'
speed comes from: a step that is done again at once finds its code and the kernel's in the
processor's caches, and the first time pays for all (`docs/decisions/0006-small-rooms.md`). The
room that was first waits for the last, some milliseconds at most: nothing in a turn waits, and a
turn is bounded. A room's own task drives the same steps where something had to be waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import trio

from edgechat.chat.apply import Outcome
from edgechat.chat.draft import Draft
from edgechat.rooms.batch import Batch, Owner
from edgechat.rooms.refusals import note_refusal
from edgechat.rooms.storage import Answer, Storage


class Speaker(Owner, Protocol):
    """A room in which something was said."""

    def take_nowait(self) -> Batch | None:
        """What waits there, for the turn; None where the room's own task has to take it."""


@dataclass(frozen=True, slots=True)
class TurnStatistics:
    """Sums since the start."""

    turns: int  # in which something was asked
    batches: int
    lines: int  # stored and told
    deliveries: int  # of lines to members and followers: each line counts once for each
    refused_batches: int  # that could not be stored


_Drafted = tuple[Batch, Draft]  # what a submission is known by


class Turn:
    """The rooms in which something was said, and the steps that their batches take."""

    def __init__(self, storage: Storage, now_ms: Callable[[], int]) -> None:
        """`now_ms` reads the wall clock: Unix time in ms."""
        self._storage = storage
        self._now_ms = now_ms
        self._rooms: list[Speaker] = []
        self._turns = self._batches = self._lines = self._deliveries = self._refused = 0
        self.add = self._rooms.append  # something was said there, for the first time in this turn

    def statistics(self) -> TurnStatistics:
        """What went through."""
        return TurnStatistics(
            self._turns, self._batches, self._lines, self._deliveries, self._refused
        )

    def finish(self) -> None:
        """Store and tell what was said. Never waits; a defect in one room stays there."""
        while self._rooms:
            rooms = self._rooms.copy()
            self._rooms.clear()
            batches: list[Batch] = []
            for room in rooms:
                try:
                    batch = room.take_nowait()
                except Exception as defect:
                    room.spoil(defect)
                else:
                    if batch is not None:
                        batches.append(batch)
            if batches:
                self.run(batches)

    def run(self, batches: Sequence[Batch], failure: Exception | None = None) -> None:
        """Take batches through the steps, as far as the storage answers at once.

        With `failure` nothing is submitted: that is the answer to all.
        """
        now, now_ms = trio.current_time(), self._now_ms()
        self._turns += 1
        self._batches += len(batches)
        drafted: list[_Drafted] = []
        for batch in batches:
            try:
                drafted.append((batch, batch.decide(now_ms, now)))
            except Exception as defect:
                batch.owner.spoil(defect)
        answers = self._submit(drafted, failure)
        if len(answers) < len(drafted):
            there = {id(ticket) for ticket, _ in answers}
            for ticket in drafted:
                if id(ticket) not in there:
                    ticket[0].owner.begin_work()
        self._land(answers, now)

    def answered(self, answers: Sequence[Answer]) -> None:
        """The storage has answered outside of a turn: tell, and go on with what gathered."""
        self._land(answers, trio.current_time())
        for (batch, _), _ in answers:
            batch.owner.rest()
        self.finish()

    def _submit(self, drafted: Sequence[_Drafted], failure: Exception | None) -> Sequence[Answer]:
        """The end of the first half; returns the answers that are there at once."""
        answers: list[Answer] = []
        submit = self._storage.submit
        for ticket in drafted:
            batch, draft = ticket
            if failure is None and draft.lines:
                owner = batch.owner
                try:
                    submit(owner.history, owner.state.last, draft.lines, ticket)
                except Exception as defect:
                    answers.append((ticket, defect))
            else:
                answers.append((ticket, failure))
        answers += self._storage.send()
        return answers

    def _land(self, answers: Sequence[Answer], now: float) -> None:
        """The second half: apply all that was answered, then tell it."""
        told: list[tuple[Batch, Outcome]] = []
        lines = deliveries = 0
        for (batch, draft), failure in answers:
            try:
                told.append((batch, batch.apply(draft, failure, now)))
            except Exception as defect:
                batch.owner.spoil(defect)
                continue
            if failure is None:
                lines += (said := len(draft.lines))
                room = batch.owner
                deliveries += said * (len(room.state.roster.sessions) + room.fanout.followers)
            else:
                self._refused += 1
        for batch, outcome in told:
            for code in outcome.refused:
                note_refusal(code)
            try:
                batch.tell(outcome)
            except Exception as defect:
                batch.owner.spoil(defect)
        self._lines += lines
        self._deliveries += deliveries
