"""Statistics as Prometheus text, for one scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from platform import python_version

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from edgechat import __version__
from edgechat.metrics.loop_lag import BOUNDS, LoopLagStatistics
from edgechat.metrics.numbers import Numbers
from edgechat.metrics.processes import WorkersCollector
from edgechat.metrics.reading import Workers
from edgechat.metrics.table import LABELLED, PLAIN


def render(numbers: Numbers, lag: LoopLagStatistics, workers: Workers | None = None) -> bytes:
    """The text of one scrape. It looks at the processes too: call it in a thread."""
    registry = CollectorRegistry()
    registry.register(Snapshot(numbers, lag))
    ProcessCollector(registry=registry)
    if workers is not None:
        registry.register(WorkersCollector(workers))
    return generate_latest(registry)


class Snapshot:
    """A Prometheus collector of what was counted at one moment."""

    def __init__(self, numbers: Numbers, lag: LoopLagStatistics) -> None:
        self._numbers = numbers
        self._lag = lag

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would collect all to find the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric of ours."""
        yield _build_info()
        for plain in PLAIN:
            family = _family(plain.name, plain.text, ())
            for number in self._numbers.get(plain.name, {}).values():
                family.add_metric((), number)
            yield family
        for labelled in LABELLED:
            family = _family(labelled.name, labelled.text, (labelled.label,))
            for value, number in sorted(self._numbers.get(labelled.name, {}).items()):
                family.add_metric((value,), number)
            yield family
        yield _lag(self._lag)


def _family(
    name: str, text: str, labels: tuple[str, ...]
) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(name, text, labels=labels)


def _build_info() -> Metric:
    text = "Always 1; the labels say what runs."
    family = GaugeMetricFamily("edgechat_build_info", text, labels=("version", "python"))
    family.add_metric((__version__, python_version()), 1)
    return family


def _lag(lag: LoopLagStatistics) -> Metric:
    buckets = [(repr(bound), n) for bound, n in zip(BOUNDS[:-1], lag.counts, strict=False)]
    return HistogramMetricFamily(
        "edgechat_event_loop_lag_seconds",
        "How late the event loop runs what is due.",
        buckets=[*buckets, ("+Inf", lag.counts[-1])],
        sum_value=lag.seconds,
    )
