"""Where two chains part: an archive's, and the one that the engine goes on with."""

from __future__ import annotations

from edgechat.chat.line import chain, claimed
from edgechat.nodes.chain import Point, split
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import Forked
from edgechat.nodes.level import Chain

_ENTRIES = 500


async def find_common(connection: EngineConnection, ours: Chain) -> Point | None:
    """The last line that both have; None where the engine has let go of it.

    Chained lines have all lines before them in common, so it is found by bisection. Raises
    `StorageUnavailable`, `LinkDown`.
    """
    theirs = await _stream(connection, ours)
    if not theirs:
        return None
    low, high = -1, len(theirs)  # those up to `low` are ours as well, those from `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        if await _h_at(ours, theirs[middle].seq) == theirs[middle].h:
            low = middle
        else:
            high = middle
    if low >= 0:
        return theirs[low]
    return await _before(connection, ours, theirs[0])


async def _before(connection: EngineConnection, ours: Chain, first: Point) -> Point | None:
    """The place before the stream's first line, if that goes on from one of our lines."""
    seq = first.seq - 1
    h = ours.base.h if seq == ours.base.seq else await _h_at(ours, seq)
    entries = await connection.request("XRANGE", ours.keys.stream, "-", "+", "COUNT", 1)
    line = split(entries[0][1][1])[0] if entries else b""
    if h is None or not line or chain(h, line) != first.h:
        return None
    return Point(seq, h)


async def _stream(connection: EngineConnection, ours: Chain) -> list[Point]:
    """The places of the stream's lines, as far as ours go. Raises `Forked` where one is no line."""
    places: list[Point] = []
    at = "-"
    while not places or places[-1].seq <= ours.tip.seq:
        entries = await connection.request("XRANGE", ours.keys.stream, at, "+", "COUNT", _ENTRIES)
        if not entries:
            break
        for id, fields in entries:
            lines = split(fields[1])
            last = int(id.partition(b"-")[0])
            for seq, line in enumerate(lines, last + 1 - len(lines)):
                h = claimed(line)
                if h is None:
                    raise Forked(f"line {seq} in the engine is none")
                places.append(Point(seq, h))
        at = f"({entries[-1][0].decode()}"
    return [place for place in places if place.seq <= ours.tip.seq]


async def _h_at(ours: Chain, seq: int) -> bytes | None:
    for entry in await ours.entries(seq - 1, 1):
        if entry.seq == seq:
            return entry.h
    return None
