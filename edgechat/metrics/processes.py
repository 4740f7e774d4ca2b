"""What each worker process takes, of a server that has several: read from `/proc` at a scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from edgechat.metrics.reading import Workers

# What the library reads of a process, and what it is called here.
_READ = {
    "process_cpu_seconds": "edgechat_worker_cpu_seconds",
    "process_resident_memory_bytes": "edgechat_worker_resident_memory_bytes",
    "process_open_fds": "edgechat_worker_open_fds",
}


class WorkersCollector:
    """A Prometheus collector of them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would collect all to find the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric of theirs."""
        workers = self._workers
        yield GaugeMetricFamily(
            "edgechat_workers_wanted", "Worker processes that there should be.", workers.wanted
        )
        yield GaugeMetricFamily(
            "edgechat_workers", "Worker processes that serve.", len(workers.pids)
        )
        yield CounterMetricFamily(
            "edgechat_worker_restarts_total",
            "Workers that ended by themselves, and were started again.",
            workers.restarts,
        )
        held = GaugeMetricFamily(
            "edgechat_worker_connections", "Connections that a worker has.", labels=("worker",)
        )
        for number, connections in sorted(workers.connections.items()):
            held.add_metric((str(number),), connections)
        yield held
        yield from self._read()

    def _read(self) -> Iterator[Metric]:
        cpu = CounterMetricFamily(
            "edgechat_worker_cpu_seconds_total", "CPU time used by a worker.", labels=("worker",)
        )
        memory = GaugeMetricFamily(
            "edgechat_worker_resident_memory_bytes", "Memory of a worker.", labels=("worker",)
        )
        files = GaugeMetricFamily(
            "edgechat_worker_open_fds", "File descriptors open in a worker.", labels=("worker",)
        )
        for number, pid in sorted(self._workers.pids.items()):
            found = _of_process(pid)
            for family in (cpu, memory, files):
                if family.name in found:
                    family.add_metric((str(number),), found[family.name])
        yield from (cpu, memory, files)


def _of_process(pid: int) -> dict[str, float]:
    """By our own names; what can't be read is not there."""
    metrics = ProcessCollector(pid=lambda: pid, registry=None).collect()
    return {
        _READ[metric.name]: metric.samples[0].value for metric in metrics if metric.name in _READ
    }
