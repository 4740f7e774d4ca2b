"""One turn of the loop that reads from everybody: what was said in it, in all rooms.

Each step is taken for all rooms before the next one begins. That is what small rooms' speed comes
from: a step that is done again at once finds its code and the kernel's in the processor's caches,
and the first time pays for all (`docs/decisions/0006-small-rooms.md`). The room that was first
waits for the last, some milliseconds at most: nothing in a turn waits, and a turn is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller

import trio

from edgechat.rooms.pipeline import Pipeline


class Turn:
    """The pipelines through which something has to go before the turn is over."""

    def __init__(self, now_ms: Callable[[], int], look: Callable[[], None]) -> None:
        """`now_ms` reads the wall clock: Unix time in ms; `look` is `rooms.storage.Storage`'s."""
        self.now_ms = now_ms
        self._look = look
        self._busy: list[Pipeline] = []
        self.add = self._busy.append  # something was said there, for the first time in this turn

    def finish(self) -> None:
        """Store and tell what was said. Never waits; a defect in one room stays there."""
        if self._busy:
            now, now_ms = trio.current_time(), self.now_ms()
            busy = _take_step(self._busy, methodcaller("decide_said", now_ms, now))
            busy = _take_step(busy, Pipeline.store_nowait)
            self._look()
            busy = _take_step(busy, Pipeline.settle_stored)
            _take_step(busy, Pipeline.tell)
            self._busy.clear()


def _take_step(pipelines: list[Pipeline], step: Callable[[Pipeline], None]) -> list[Pipeline]:
    """One step for each; returns those that came through it."""
    spoiled = False
    for pipeline in pipelines:
        try:
            step(pipeline)
        except Exception as defect:
            pipeline.spoil(defect)
            spoiled = True
    return [one for one in pipelines if one.defect is None] if spoiled else pipelines
