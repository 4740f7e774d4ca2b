"""Puts together what the parts of a node count."""

from __future__ import annotations

import trio

from edgechat.nodes.appends import Appends
from edgechat.nodes.archivist import Archivist
from edgechat.nodes.levelling import Levelling
from edgechat.nodes.link import Link
from edgechat.nodes.statistics import NodeStatistics
from edgechat.nodes.upkeep import Upkeep


def count(
    link: Link, appends: Appends, levelling: Levelling, upkeep: Upkeep, archivist: Archivist
) -> NodeStatistics:
    """As of now."""
    return NodeStatistics(
        is_up=link.up is not None,
        is_replicated=not appends.replicas.trouble,
        links=link.links,
        ping=link.ping,
        appends=appends.stored,
        moved=appends.moved,
        mended=levelling.mended + upkeep.mended,
        forks=levelling.forks + upkeep.forks,
        lines_behind=sum(len(room.pending) for room in appends.logs.values()),
        seconds_behind=trio.current_time() - archivist.level_at,
    )
