"""Lines on their way to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edgechat.nodes.chain import Point


class Flight(msgspec.Struct):
    """Lines on their way to the engine: one submission of a room."""

    ticket: Any
    after: Point
    last: Point
    lines: Sequence[bytes]
    ending: bytes  # of the entry that it makes: nobody else's ends like this
    asked_at: float
    sent: bool = False  # so that the engine may have stored them
