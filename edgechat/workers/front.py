"""The front of several workers: it has the port and the folder's lock, and hands connections over.

It passes a socket to the worker that has the room, with all that was read (`SCM_RIGHTS`); from then
on it has nothing to do with it, but for the limits that count it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable
from dataclasses import replace
from itertools import count

import trio

from edgechat import system
from edgechat.chat.names import PrivateIds
from edgechat.history.journal.start import recover_all
from edgechat.logs import Form
from edgechat.metrics.reading import Reading
from edgechat.net.caller import Caller
from edgechat.net.door import Door
from edgechat.net.linger import linger
from edgechat.net.listening import url
from edgechat.net.refused import STOPPING, Refused
from edgechat.net.request_head import Head
from edgechat.places import Places, take_places
from edgechat.settings import Settings
from edgechat.storage_start import tell_nodes
from edgechat.webhooks.webhooks import Webhooks
from edgechat.workers import health
from edgechat.workers.error import WorkerError
from edgechat.workers.figures import Sums
from edgechat.workers.ledger import Ledger
from edgechat.workers.messages import FORMAT, Begin, Granted, Spent
from edgechat.workers.placement import place_of, room_in
from edgechat.workers.process import WorkerProcess
from edgechat.workers.slot import PATIENCE, Slot
from edgechat.workers.supervisor import Supervisor, first_of

log = logging.getLogger(__name__)


async def serve(
    settings: Settings,
    stop: trio.Event,
    changes: AsyncIterable[Settings] | None = None,
    *,
    log_form: Form = "auto",
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """What `edgechat.server.serve` does, with `settings.workers` processes.

    At each of `changes` its limits hold, and fresh workers take the place of those that run.
    `log_form` is for the workers' logs. Raises `WorkerError` too.
    """
    async with take_places(settings) as places:
        await system.run_in_thread(recover_all, places.folder, settings)
        await tell_nodes(settings, places.folder, places.key)
        Webhooks(settings, PrivateIds(places.key))  # makes the secret that all workers read
        await Front(settings, places, log_form).run(stop, changes, task_status)


class Front:
    """Accepts, and hands over."""

    def __init__(self, settings: Settings, places: Places, log_form: Form) -> None:
        self._settings = settings
        self._places = places
        self._log_form = log_form
        self._ids = PrivateIds(places.key)
        self._door = Door(settings, self._serve)
        self._ledger = Ledger(settings)
        self._supervisor = Supervisor(
            settings.workers,
            self._make,
            self._ledger.forget,
            self._door.take_back,
            settings.stop_timeout,
        )
        self._sums = Sums(self._door)
        self._turns = count()
        self._is_stopping = False
        self._wanted = trio.Event()  # fresh workers are

    async def run(
        self,
        stop: trio.Event,
        changes: AsyncIterable[Settings] | None,
        started: trio.TaskStatus[str],
    ) -> None:
        """Until `stop` is set and all have ended. Raises `WorkerError`."""
        supervisor, sockets = self._supervisor, self._places.sockets
        async with trio.open_nursery() as background:
            background.start_soon(supervisor.run)
            background.start_soon(self._serve_metrics)
            async with trio.open_nursery() as connections, trio.open_nursery() as accepting:
                await first_of(supervisor.ready, supervisor.failed, stop)
                for listening in sockets:  # whoever came already waits in the kernel
                    accepting.start_soon(self._door.accept, listening, connections)
                if not supervisor.failed.is_set():
                    started.started(url(sockets[0]))
                async with trio.open_nursery() as changing:
                    changing.start_soon(self._take_changes, changes)
                    changing.start_soon(self._replace_workers)
                    await first_of(supervisor.failed, stop)
                    changing.cancel_scope.cancel()
                self._is_stopping = True
                self._door.hurry()
                await supervisor.stop()
                self._door.give_up()
                accepting.cancel_scope.cancel()
                connections.cancel_scope.deadline = trio.current_time() + self._settings.last_call
            background.cancel_scope.cancel()
        if supervisor.failed.is_set():
            raise WorkerError(supervisor.why)

    async def _serve(self, caller: Caller, head: Head) -> None:
        """What the door let in: it is answered here, or handed over. Raises `Refused`."""
        path = health.asked(head)
        if path is not None:
            is_ready = path == "/livez" or await self._is_ready()
            caller.connection.send(health.answer(head, path, is_well=is_ready))
            await linger(caller.connection, self._settings.linger_timeout)
        elif self._is_stopping:
            raise Refused(STOPPING)
        else:
            await self._slot(head).hand_over(caller, head)

    def _slot(self, head: Head) -> Slot:
        """Where a request is to go: to the worker that has its room, or to any in turn."""
        slots = self._supervisor.slots
        key = room_in(head, self._ids)
        if key is not None:
            return slots[place_of(key, len(slots))]
        first = next(self._turns)
        ways = [slots[(first + each) % len(slots)] for each in range(len(slots))]
        return next((slot for slot in ways if slot.worker is not None), ways[0])

    async def _is_ready(self) -> bool:
        """Whether all workers are there and can store; one that is away is waited for."""
        with trio.move_on_after(PATIENCE):
            workers = [await slot.wait() for slot in self._supervisor.slots]
            return not self._is_stopping and all(
                worker.figures is None or worker.figures.works for worker in workers
            )
        return False

    def _make(self, number: int, recovers: bool) -> WorkerProcess:
        """A worker by the settings that hold now. What is for all is parted among them."""
        settings, workers = self._settings, self._settings.workers
        begin = Begin(
            FORMAT,
            number,
            workers,
            self._places.key,
            replace(
                settings,
                max_rooms=-(-settings.max_rooms // workers),
                max_limiters=-(-settings.max_limiters // workers),
            ),
            self._log_form,
            recovers,
        )
        lock, leave = self._places.folder.lock, self._door.limits.leave
        return WorkerProcess(begin, lock, leave, self._settle, self._sums.keep)

    def _settle(self, worker: WorkerProcess, spent: Spent) -> None:
        """Count what addresses spent there, and tell it where they spend too."""
        told = self._ledger.settle(worker.number, spent.counts, system.monotonic())
        for number, full_at in told.items():
            serving = self._supervisor.slots[number].worker
            if serving is not None:
                serving.tell(Granted(full_at))

    async def _take_changes(self, changes: AsyncIterable[Settings] | None) -> None:
        """Never waits long: whoever sends changes has signals to obey as well."""
        if changes is not None:
            async for settings in changes:
                self._settings = settings
                self._door.limits.change(settings)
                self._ledger.change(settings)
                self._wanted.set()

    async def _replace_workers(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            if await self._supervisor.replace_all():
                log.info("Fresh workers have taken the place of all.")

    async def _serve_metrics(self) -> None:
        if self._places.scraped:
            from edgechat.metrics.scrapes import serve_metrics  # 80 ms, if it is wanted

            def read() -> Reading:
                return self._sums.read(self._supervisor)

            await serve_metrics(self._places.scraped, self._settings, read)
