"""The place of one worker: who has its rooms now, and who waits until somebody has."""

from __future__ import annotations

from http import HTTPStatus

import trio

from edgechat.net.caller import Caller
from edgechat.net.refused import Refused, refuse
from edgechat.net.request_head import Head
from edgechat.workers.process import WorkerProcess

PATIENCE = 5.0  # seconds that a request waits for a worker that is away
_BREATH = 0.01  # seconds until the next try, where a worker is ending
_AWAY = refuse(
    "worker away",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "This part of the server is starting again: come back.",
    headers={"Retry-After": "1"},
)


class Slot:
    """One of so many places. A room's place never changes while the front runs."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.worker: WorkerProcess | None = None  # who has the rooms
        self.next: WorkerProcess | None = None  # who is ready to have them next
        self._is_filled = trio.Event()

    def fill(self, worker: WorkerProcess) -> None:
        """From now on this one has the rooms. Nobody else may have one of them open."""
        self.worker = worker
        self._is_filled.set()

    def empty(self) -> None:
        """Nobody has."""
        self.worker = None
        if self._is_filled.is_set():  # else some wait for it already
            self._is_filled = trio.Event()

    async def wait(self) -> WorkerProcess:
        """Who has the rooms, as soon as somebody has."""
        while self.worker is None:
            await self._is_filled.wait()
        return self.worker

    async def hand_over(self, caller: Caller, head: Head) -> None:
        """Pass a connection on. Raises `Refused` where nobody takes it in time."""
        caller.is_elsewhere = await self._try(caller, head)
        if not caller.is_elsewhere:
            with trio.move_on_after(PATIENCE):
                while not caller.is_elsewhere:
                    await trio.sleep(_BREATH)
                    await self.wait()
                    caller.is_elsewhere = await self._try(caller, head)
        if not caller.is_elsewhere:
            raise Refused(_AWAY)

    async def _try(self, caller: Caller, head: Head) -> bool:
        """Whether somebody has taken it. Raises `Refused` where there is no room."""
        return self.worker is not None and await self.worker.hand_over(caller, head)
