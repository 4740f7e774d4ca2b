"""What one metric is: its name, its words, and where its number comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from edgechat.statistics import ServerStatistics


class Plain(NamedTuple):
    """A number without a label. What ends in `_total` is a counter, and else it is a gauge.

    `read` returns None where this server has nothing of the kind.
    """

    name: str
    text: str
    read: Callable[[ServerStatistics], float | None]


class Labelled(NamedTuple):
    """Numbers by the values of one label."""

    name: str
    text: str
    label: str
    read: Callable[[ServerStatistics], Mapping[Any, int]]
