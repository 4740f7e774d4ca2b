"""What the door tells of itself, for whoever watches the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgechat.net.budget import BudgetStatistics
from edgechat.net.connection_limits import ConnectionLimitsStatistics


@dataclass(frozen=True, slots=True)
class DoorStatistics:
    """What came in, and what was refused, by reason."""

    accepted: int
    refused: Mapping[str, int]
    connections: ConnectionLimitsStatistics


@dataclass(frozen=True, slots=True)
class ListenerStatistics:
    """What came in, and what became of it. `refused` is by reason, `closes` by the code sent."""

    accepted: int
    refused: Mapping[str, int]
    connections: ConnectionLimitsStatistics
    budgets: BudgetStatistics
    websockets: int  # open now
    outbox_bytes: int  # that wait for clients to read
    closes: Mapping[int, int]
