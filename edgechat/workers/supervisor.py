"""Starts the workers, watches them, starts them again, replaces them and stops them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from edgechat.net.caller import Caller
from edgechat.net.request_head import Head
from edgechat.workers.messages import Yours
from edgechat.workers.process import WorkerProcess
from edgechat.workers.slot import Slot

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds before a start; each is twice the one before
_STEADY = 1.0  # seconds of life after which the next pause is the first again
_TRIES = 5  # starts in a row that fail, then the server gives up
_SPARE = 1.5  # seconds over those of an orderly stop, then a worker is killed

Make = Callable[[int, bool], WorkerProcess]
Serve = Callable[[Caller, Head], Awaitable[None]]


class Supervisor:
    """Has the slots, and whoever is in them."""

    def __init__(
        self,
        workers: int,
        make: Make,
        filled: Callable[[int], None],
        again: Serve,
        stop_timeout: float,
    ) -> None:
        """`make` makes the worker of a number, which does not run yet, and says whether it is to
        recover what was said in its rooms before; `filled` is told when another has the rooms of
        that number; `again` serves and closes a connection that a worker was handed and did not
        read; `stop_timeout` in seconds.
        """
        self.slots: Sequence[Slot] = [Slot(number) for number in range(workers)]
        self.ready = trio.Event()  # every slot was filled
        self.failed = trio.Event()  # a worker can't be started; `why` is for a person
        self.why = ""
        self.restarts = 0  # of those that ended by themselves
        self.living: set[WorkerProcess] = set()
        self._make = make
        self._filled = filled
        self._again = again
        self._patience = stop_timeout + _SPARE
        self._nursery: trio.Nursery
        self._keeping = trio.CancelScope()

    async def run(self) -> None:
        """Keep every slot filled until `stop`, or until a worker can't be started."""
        async with trio.open_nursery() as self._nursery:
            with self._keeping:
                async with trio.open_nursery() as keeping:
                    for slot in self.slots:
                        keeping.start_soon(self._keep, slot)
                    for slot in self.slots:
                        await slot.wait()
                    self.ready.set()

    async def replace_all(self) -> bool:
        """Put a fresh worker in the place of each, one after the other.

        It is ready before the other one stops. False: one can't be started, and all that are left
        stay. The log says why.
        """
        for slot in self.slots:
            old = await slot.wait()
            new = await self._attempt(slot.number, recovers=False)
            if not new.is_ready:
                log.error(
                    "Worker %d stays as it is: a new one can't start: %s.", slot.number, new.why
                )
                return False
            if slot.worker is not old:  # a fresh one is on its way already
                self._nursery.start_soon(self._stop, new)
            else:
                slot.next = new
                slot.empty()
                self._nursery.start_soon(self._stop, old)
            await slot.wait()
        return True

    async def stop(self) -> None:
        """Start none any more; end all in order, or kill them if that takes too long."""
        self._keeping.cancel()
        async with trio.open_nursery() as stopping:
            for worker in self.living:
                stopping.start_soon(self._stop, worker)

    async def _keep(self, slot: Slot) -> None:
        """Fill a slot again and again."""
        pause = _FIRST_PAUSE
        while (worker := await self._start(slot.number)) is not None:
            began = trio.current_time()
            await self._follow(slot, worker)
            self.restarts += 1
            if trio.current_time() - began >= _STEADY:
                pause = _FIRST_PAUSE
            await trio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _follow(self, slot: Slot, worker: WorkerProcess | None) -> None:
        """Have this one in the slot, and then those that replace it, until one ends by itself."""
        while worker is not None:
            worker.tell(Yours())  # nothing else waits in its channel yet
            slot.fill(worker)
            self._filled(slot.number)
            await worker.released.wait()
            slot.empty()
            following, slot.next = slot.next, None
            if following is not None and not worker.has_released:
                # What was said there last may be in the journal only: that is for one that starts.
                self._nursery.start_soon(self._stop, following)
                following = None
            worker = following

    async def _start(self, number: int) -> WorkerProcess | None:
        """One that is ready; None where that fails again and again."""
        pause = _FIRST_PAUSE
        for _ in range(_TRIES):
            worker = await self._attempt(number, recovers=True)
            if worker.is_ready:
                log.info("Worker %d runs as process %d.", number, worker.pid)
                return worker
            log.error("Worker %d can't start: %s.", number, worker.why)
            self.why = f"Worker {number} can't start: {worker.why}."
            await trio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        self.failed.set()
        return None

    async def _attempt(self, number: int, *, recovers: bool) -> WorkerProcess:
        """A new one, ready or not."""
        worker = self._make(number, recovers)
        self.living.add(worker)
        self._nursery.start_soon(self._run, worker, name=f"worker {number}")
        await worker.settled.wait()
        return worker

    async def _run(self, worker: WorkerProcess) -> None:
        try:
            await worker.run()
        finally:
            self.living.discard(worker)
        for caller, head in worker.unread:
            self._nursery.start_soon(self._again, caller, head, name="connection")
        if worker.is_ready and not worker.is_stopping:
            log.error(
                "Worker %d (process %d) is gone: %s. Its members come back to the next one, which "
                "gets %d requests that this one had not read.",
                worker.number,
                worker.pid,
                worker.why,
                len(worker.unread),
            )

    async def _stop(self, worker: WorkerProcess) -> None:
        if not worker.is_ready:  # nobody is there
            worker.kill()
        with trio.move_on_after(self._patience):
            await worker.stop()
            await worker.ended.wait()
        worker.kill()
        with trio.move_on_after(_SPARE):  # what it had not read is answered yet
            await worker.ended.wait()


async def first_of(*events: trio.Event) -> None:
    """Until one of them is set."""
    async with trio.open_nursery() as nursery:

        async def wait(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel()

        for event in events:
            nursery.start_soon(wait, event)
