"""Lines on their way to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import trio

from edgechat.nodes.chain import Point

_ENDING = len(b',"h":"0123456789abcdef"}')


class Flight(msgspec.Struct):
    """Lines on their way to the engine: one submission of a room."""

    ticket: Any
    after: Point
    last: Point
    lines: Sequence[bytes]
    ending: bytes  # of the entry that it makes: nobody else's ends like this
    asked_at: float
    sent: bool = False  # so that the engine may have stored them


def take_off(ticket: Any, after: Point, lines: Sequence[bytes]) -> Flight:
    """These lines, that go on from `after`, asked for now."""
    ending = lines[-1][-_ENDING:]
    last = Point(after.seq + len(lines), bytes.fromhex(ending[-18:-2].decode()))
    return Flight(ticket, after, last, lines, ending + b"\n", trio.current_time())
