"""Talk of which each message is on the disk before anybody gets it, beside EdgeChat's default."""

from __future__ import annotations

from bench.workloads.chat import SMALL, TEN
from bench.workloads.workload import Workload

WORKLOADS = (
    Workload("disk-ten", "1 \u00d7 200, 10 senders, to disk", TEN.run, to_disk=True, rounds=3),
    Workload("disk-small", "100 \u00d7 2, to disk", SMALL.run, to_disk=True, rounds=3),
)
GROUPS = {"durability": [workload.key for workload in WORKLOADS]}
