"""All workloads by name, in the order of the report."""

from __future__ import annotations

from bench.workloads import chat, disk, flood, history, idle, open_rooms, resume, start, storm
from bench.workloads.workload import Workload

FILES = (chat, idle, storm, resume, flood, history, open_rooms, start, disk)

WORKLOADS: dict[str, Workload] = {
    workload.key: workload for file in FILES for workload in file.WORKLOADS
}
