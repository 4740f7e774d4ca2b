"""A clock that a test moves: what runs out in a real server is no race with the machine."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from threading import Timer

import trio

from tests.serving.wire import SOON


class HeldClock(trio.abc.Clock):
    """Stands still until it is moved; sockets, files, threads and processes go on.

    All deadlines pass where a test takes four times `SOON` of the machine's time, so that one that
    waits for what never comes fails.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._alarm = Timer(4 * SOON, self._end)
        self._alarm.daemon = True
        self._token: trio.lowlevel.TrioToken

    def start_clock(self) -> None:
        """Called by Trio at the start of its run."""
        self._token = trio.lowlevel.current_trio_token()
        self._alarm.start()

    def current_time(self) -> float:
        """Seconds since the start, as the test has moved it."""
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Seconds of the machine's time: none, or for ever."""
        return 0.0 if deadline <= self._now else inf

    def move(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._now += seconds

    def stop(self) -> None:
        """The test is over."""
        self._alarm.cancel()

    def _end(self) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.move, 1e9)
