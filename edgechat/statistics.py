"""What a server counts, put together from those who own it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgechat.chat.errors import Code
from edgechat.history.journal.statistics import JournalStatistics
from edgechat.net.event_stream import EventStreamStatistics
from edgechat.net.poller import PollerStatistics
from edgechat.net.statistics import ListenerStatistics
from edgechat.nodes.statistics import NodeStatistics
from edgechat.rooms.registry import RegistryStatistics
from edgechat.rooms.turn import TurnStatistics
from edgechat.webhooks.webhooks import WebhookStatistics


@dataclass(frozen=True, slots=True)
class ServerStatistics:
    """As of now. Each part says what it is of; sums are since the server's start."""

    listener: ListenerStatistics
    poller: PollerStatistics
    rooms: RegistryStatistics
    members: int  # sessions in all rooms together
    followers: EventStreamStatistics  # of this process
    limiters: RegistryStatistics
    storage_works: bool  # whether what was tried last was stored
    turn: TurnStatistics
    webhooks: WebhookStatistics
    refusals: Mapping[Code, int]  # of this process, by code: every code is there
    journal: JournalStatistics
    engine: NodeStatistics | None  # without an engine there is none
    defects: Mapping[str, int]  # of this process, by what they ended
