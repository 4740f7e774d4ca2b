"""What a node counts of its engine: a part of `table`. A server alone has none of it."""

from __future__ import annotations

from collections.abc import Callable

from edgechat.metrics.metric import Plain
from edgechat.nodes.statistics import NodeStatistics
from edgechat.statistics import ServerStatistics


def _of(read: Callable[[NodeStatistics], float]) -> Callable[[ServerStatistics], float | None]:
    return lambda s: None if s.engine is None else read(s.engine)


ENGINE = (
    Plain(
        "edgechat_engine_up", "1 while the link to the engine is up, or 0.", _of(lambda n: n.is_up)
    ),
    Plain(
        "edgechat_engine_replicated",
        "1 while as many replicas of the engine have what is said as --replicas wants, or 0.",
        _of(lambda n: n.is_replicated),
    ),
    Plain(
        "edgechat_engine_links_total",
        "Times that the link to the engine came up.",
        _of(lambda n: n.links),
    ),
    Plain(
        "edgechat_engine_ping_seconds",
        "How long the engine took for its last answer to a ping, one each two seconds.",
        _of(lambda n: n.ping),
    ),
    Plain(
        "edgechat_engine_appends_total",
        "Batches of this node that the engine stored.",
        _of(lambda n: n.appends),
    ),
    Plain(
        "edgechat_engine_moved_total",
        "Batches that came too late, as another node had spoken in that room, and were made anew.",
        _of(lambda n: n.moved),
    ),
    Plain(
        "edgechat_engine_mended_lines_total",
        "Lines that the engine lacked, and this node gave it.",
        _of(lambda n: n.mended),
    ),
    Plain(
        "edgechat_forks_total",
        "Times that a room went on otherwise in the engine than on this node.",
        _of(lambda n: n.forks),
    ),
    Plain(
        "edgechat_archive_lines_behind",
        "Lines said in rooms that are open here, and not in this node's files yet.",
        _of(lambda n: n.lines_behind),
    ),
    Plain(
        "edgechat_archive_seconds_behind",
        "How long ago this node's files had all that was said in rooms that are open here.",
        _of(lambda n: n.seconds_behind),
    ),
)
