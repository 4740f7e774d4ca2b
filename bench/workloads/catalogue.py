"""All workloads by name, in the order of the report, and groups of them."""

from __future__ import annotations

from collections.abc import Iterable

from bench.workloads import (
    chat,
    durability,
    flood,
    fsyncs,
    growth,
    history,
    idle,
    open_rooms,
    resume,
    start,
    storm,
)
from bench.workloads.workload import Workload

FILES = (chat, idle, storm, resume, flood, history, open_rooms, start, durability, fsyncs, growth)

WORKLOADS: dict[str, Workload] = {
    workload.key: workload for file in FILES for workload in file.WORKLOADS
}
GROUPS: dict[str, list[str]] = durability.GROUPS | growth.GROUPS
USUAL = [key for key in WORKLOADS if key not in GROUPS["growth"]]


def chosen(names: Iterable[str]) -> list[Workload]:
    """Workloads by their names and those of groups; without any name the usual ones."""
    keys = [key for name in names for key in GROUPS.get(name, [name])]
    return [WORKLOADS[key] for key in keys or USUAL]
