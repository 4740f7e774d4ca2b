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
from edgechat.rooms.storage import Storage


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
    deliveries: int  # of lines to members: each line counts once for each
    refused_batches: int  # that could not be stored


# A draft, and the storage's answer: None where its lines are stored.
_Answered = tuple[Batch, Draft, Exception | None]


class Turn:
    """The rooms in which something was said, and the drafts that were answered."""

    def __init__(self, storage: Storage, now_ms: Callable[[], int]) -> None:
        """`now_ms` reads the wall clock: Unix time in ms."""
        self._storage = storage
        self._now_ms = now_ms
        self._rooms: list[Speaker] = []
        self._answered: list[_Answered] = []
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

        With `failure` nothing is submitted: that is the answer. Their rooms `rest` when they are
        told, which may be later.
        """
        now, now_ms = trio.current_time(), self._now_ms()
        self._turns += 1
        self._batches += len(batches)
        drafted: list[tuple[Batch, Draft]] = []
        for batch in batches:
            try:
                drafted.append((batch, batch.decide(now_ms, now)))
            except Exception as defect:
                batch.owner.spoil(defect)
        for batch, draft in drafted:
            batch.owner.begin_work()
            if failure is None and draft.lines:
                self._submit(batch, draft)
            else:
                self._answered.append((batch, draft, failure))
        self._storage.send()
        self._land(now)

    def answered(self) -> None:
        """The storage has answered outside of a turn: tell, and go on with what gathered.

        Whoever runs the storage calls this after the answers.
        """
        self._land(trio.current_time())
        self.finish()

    def _submit(self, batch: Batch, draft: Draft) -> None:
        owner = batch.owner

        def answer(failure: Exception | None) -> None:
            self._answered.append((batch, draft, failure))

        try:
            self._storage.submit(owner.history, owner.state.last, draft.lines, answer)
        except Exception as defect:
            owner.spoil(defect)

    def _land(self, now: float) -> None:
        """The second half: apply all that was answered, then tell it."""
        answered, self._answered = self._answered, []
        told: list[tuple[Batch, Outcome, int]] = []
        for batch, draft, failure in answered:
            try:
                outcome = batch.apply(draft, failure, now)
            except Exception as defect:
                batch.owner.spoil(defect)
            else:
                told.append((batch, outcome, len(draft.lines) if failure is None else 0))
                self._refused += failure is not None
        for batch, outcome, lines in told:
            try:
                batch.tell(outcome)
            except Exception as defect:
                batch.owner.spoil(defect)
                continue
            self._lines += lines
            self._deliveries += lines * len(batch.owner.fanout)
            batch.owner.rest()
