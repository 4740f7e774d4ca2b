"""Brings a chain of lines that is here and the one in the engine to the same head.

Whoever has more gives it to the other. What the engine lacks it is given by ordinary appends, so
that several nodes may do so at once; and where it knows the room not at all, as it is new or was
emptied, an archive vouches for its head.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Entry, StoredLine
from edgechat.nodes import scripts
from edgechat.nodes.chain import Point, beyond, first_seq, follow, join, split
from edgechat.nodes.engine_connection import EngineConnection, Word
from edgechat.nodes.errors import Forked
from edgechat.nodes.keys import RoomKeys

_TRIES = 20  # of others that go on meanwhile
_ENTRIES = 100  # of a stream, read at once
_PAGE = 500  # lines given at once
_SEEDED = 1_000  # lines that a stream begins with, for archives that are a little behind


class Chain(Protocol):
    """One room's lines, as they are known here."""

    keys: RoomKeys

    @property
    def base(self) -> Point:
        """Before the first line."""

    @property
    def tip(self) -> Point:
        """Behind the last line."""

    @property
    def is_new(self) -> bool:
        """Whether nobody ever said anything there, as far as is known here."""

    async def header(self) -> bytes:
        """The first line of the room's history, with its newline."""

    async def entries(self, after: int, most: int) -> Sequence[Entry]:
        """At most that many lines after `after`. Raises `StorageUnavailable`."""

    async def take(self, lines: Sequence[StoredLine]) -> None:
        """Go on with these. Raises `StorageUnavailable`."""


# Asks other nodes for lines after a place that the engine has let go of; none where nobody has.
Ask = Callable[[RoomKeys, int], Awaitable[Sequence[bytes]]]


async def read_head(connection: EngineConnection, room: RoomKeys) -> Point | None:
    """Where the room is in the engine; None where it is not there."""
    seq, h = await connection.request("HMGET", room.meta, "seq", "h")
    return None if seq is None else Point(int(seq), bytes.fromhex(h.decode()))


async def level(connection: EngineConnection, chain: Chain, ask: Ask) -> int:
    """Until both have the same head; returns how many lines the engine was given.

    Raises `Forked`, `StorageUnavailable`, `LinkDown`, `hiredis.ReplyError`.
    """
    given = 0
    for _ in range(_TRIES):
        head = await read_head(connection, chain.keys)
        if head is None:
            if chain.is_new:
                return given
            given += await _seed(connection, chain)
        elif head == chain.tip:
            return given
        elif head.seq > chain.tip.seq:
            await _fetch(connection, chain, head, ask)
        else:
            given += await _give(connection, chain, head)
    raise StorageUnavailable("the room goes on faster than it is followed")


async def _seed(connection: EngineConnection, chain: Chain) -> int:
    tip = chain.tip
    newest: list[bytes] = []
    for entry in await chain.entries(max(0, tip.seq - _SEEDED), _SEEDED):
        if entry.line is None:
            newest.clear()
        else:
            newest.append(entry.line)
    words: list[Word] = [str(tip.seq), tip.hex, await chain.header(), chain.keys.room, join(newest)]
    seed = ("EVALSHA", scripts.SEED.sha, 4, *chain.keys.for_scripts, *words)
    return len(newest) if await connection.request(*seed) == scripts.STORED else 0


async def _fetch(connection: EngineConnection, chain: Chain, head: Point, ask: Ask) -> None:
    """Take what the engine has more."""
    while chain.tip.seq < head.seq:
        after = chain.tip.seq
        entries = await connection.request(
            "XRANGE", chain.keys.stream, f"({after}-0", "+", "COUNT", _ENTRIES
        )
        lines = [line for _, fields in entries for line in split(fields[1])]
        if not lines or first_seq(lines) > after + 1:
            lines = list(await ask(chain.keys, after))
            if not lines:
                raise StorageUnavailable(
                    f"line {after + 1} is no longer in the engine, and no other node has it"
                )
        tip = chain.tip  # it may have gone on meanwhile, by what was pushed
        if new := follow(tip, beyond(tip, lines)):
            await chain.take(new)
        elif tip.seq == after:
            raise Forked("the engine's head is not in its stream")


async def _give(connection: EngineConnection, chain: Chain, head: Point) -> int:
    """Give the engine what it lacks, if its head is one of our lines; returns how many lines."""
    if not await _has(chain, head):
        raise Forked(f"line {head.seq} is another one in the engine")
    given = 0
    while head.seq < chain.tip.seq:
        entries = await chain.entries(head.seq, _PAGE)
        lines = [entry.line for entry in entries if entry.line is not None]
        if len(lines) < len(entries) or not lines:
            raise StorageUnavailable("lines that the engine lacks are damaged here")
        new = follow(head, lines)
        after, head = head, Point(new[-1].seq, new[-1].h)
        words = append_words(chain.keys, after, head, b"", lines)
        if await connection.request(*words) != scripts.STORED:
            break  # somebody else gave it, or went on
        given += len(lines)
    return given


async def _has(chain: Chain, place: Point) -> bool:
    """Whether that place is behind one of our lines."""
    if place.seq <= chain.base.seq:
        return place == chain.base
    found = await chain.entries(place.seq - 1, 1)
    return any(entry.seq == place.seq and entry.h == place.h for entry in found)


def append_words(
    room: RoomKeys, after: Point, last: Point, header: bytes, lines: Sequence[bytes]
) -> Sequence[Word]:
    """The request for an append. `header` is empty but for a room that may be new."""
    return (
        "EVALSHA",
        scripts.APPEND.sha,
        4,
        *room.for_scripts,
        after.seq,
        after.h.hex(),
        last.seq,
        last.h.hex(),
        header,
        room.channel,
        room.room,
        join(lines),
    )
