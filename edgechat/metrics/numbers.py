"""What is counted, as numbers by their metric's name: these can be added up over processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edgechat.metrics.table import LABELLED, PLAIN
from edgechat.statistics import ServerStatistics

Numbers = Mapping[str, Mapping[str, float]]  # by the label's value; "" where there is no label

# What is not the sum of all. All others are.
_OVER_ALL = {
    "edgechat_storage_works": min,
    "edgechat_sync_seconds": max,
    "edgechat_engine_up": min,
    "edgechat_engine_replicated": min,
    "edgechat_engine_ping_seconds": max,
    "edgechat_archive_seconds_behind": max,
}


def numbers_of(statistics: ServerStatistics) -> Numbers:
    """What the table has, as of now."""
    found: dict[str, Mapping[str, float]] = {
        plain.name: {"": float(number)}
        for plain in PLAIN
        if (number := plain.read(statistics)) is not None
    }
    for labelled in LABELLED:
        values = labelled.read(statistics)
        found[labelled.name] = {str(value): float(number) for value, number in values.items()}
    return found


def add_up(parts: Iterable[Numbers]) -> Numbers:
    """Of all processes together."""
    total: dict[str, dict[str, float]] = {}
    for part in parts:
        for name, values in part.items():
            known = total.setdefault(name, {})
            join = _OVER_ALL.get(name)
            for value, number in values.items():
                if value not in known:
                    known[value] = number
                else:
                    known[value] = join(known[value], number) if join else known[value] + number
    return total


def counters_of(numbers: Numbers) -> Numbers:
    """Those that only rise: they count on when the process that counted them has ended."""
    return {name: values for name, values in numbers.items() if name.endswith("_total")}
