"""What the front and all workers count, added up."""

from __future__ import annotations

from edgechat.metrics.numbers import Numbers, add_up, counters_of
from edgechat.metrics.reading import Reading, Workers
from edgechat.net.door import Door
from edgechat.rooms import defects
from edgechat.workers.process import WorkerProcess
from edgechat.workers.supervisor import Supervisor


class Sums:
    """Of those that run, and of those that have ended: what only rises must not fall with them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._past: Numbers = {}

    def keep(self, worker: WorkerProcess) -> None:
        """That worker has ended: its last counters count on."""
        if worker.figures is not None:
            self._past = add_up((self._past, counters_of(worker.figures.numbers)))

    def read(self, supervisor: Supervisor) -> Reading:
        """For a scrape. What a worker counts is a second old at most."""
        found = [worker.figures for worker in supervisor.living if worker.figures is not None]
        serving = [slot.worker for slot in supervisor.slots if slot.worker is not None]
        workers = Workers(
            pids={worker.number: worker.pid for worker in serving},
            connections={worker.number: len(worker.held) for worker in serving},
            wanted=len(supervisor.slots),
            restarts=supervisor.restarts,
        )
        numbers = add_up((self._past, self._own(), *(each.numbers for each in found)))
        return Reading(numbers, [each.lag for each in found], workers)

    def _own(self) -> Numbers:
        """Connections are counted where they are accepted."""
        door = self._door.statistics()
        return {
            "edgechat_connections": {"": door.connections.open},
            "edgechat_connection_addresses": {"": door.connections.addresses},
            "edgechat_connections_accepted_total": {"": door.accepted},
            "edgechat_connections_refused_total": door.refused,
            "edgechat_defects_total": defects.statistics(),
        }
