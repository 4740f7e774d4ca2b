"""Followers of a room: they get every line from some place on, and are not members.

Nobody is told of a follower, it is in no roster, and it says nothing. Like a newcomer it reads
what is older than the room's memory by itself, at its own speed; then the fan-out writes to it
as to any member.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum, auto

from edgechat.chat import outgoing
from edgechat.chat.commands import Reason
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Damaged, Entry, Token, parse_line
from edgechat.chat.state import RoomState
from edgechat.rooms.catchup import check_token
from edgechat.rooms.fanout import Encode
from edgechat.rooms.looking import Look
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Stream

_PAGE = 1_000  # lines, and `Settings.page_bytes` at most
_NEAR = 64  # lines that are looked at for one that is not damaged


class Extreme(Enum):
    """A place in a history that needs no number."""

    START = auto()
    HEAD = auto()


@dataclass(frozen=True, slots=True)
class Stamp:
    """The place before the first line that is not older than `ms`, Unix time."""

    ms: int


Since = Token | int | Stamp | Extreme


@dataclass(frozen=True, slots=True)
class Start:
    """Where a follower begins: after line `after`, whose token may be known.

    `reset` says why that is not where it wanted to go on.
    """

    after: int
    token: Token | None
    head: Token
    reset: Reason | None = None


async def find_start(room: Room, look: Look, since: Since, backlog: int) -> Start:
    """Where one begins who wants what came after `since`; if that is nowhere, `backlog` lines back.

    The room is open. Raises `StorageUnavailable`.
    """
    state = room.state
    reset: Reason | None = None
    if isinstance(since, Extreme):
        after = state.base.seq if since is Extreme.START else state.last.seq
    elif isinstance(since, Stamp):
        after = await _before_stamp(state, look, since.ms)
    else:
        after = since if isinstance(since, int) else since.seq
        reset = await _check(state, look, since)
        if reset is not None:
            after = max(state.last.seq - backlog, state.base.seq)
    known = since if isinstance(since, Token) and reset is None else _token_at(state, after)
    return Start(after, known, state.head, reset)


async def follow(room: Room, look: Look, after: int, stream: Stream, encode: Encode) -> None:
    """Send every line after that one, and have the fan-out go on with it: `unfollow` afterwards.

    Raises `Disconnected`, `StorageUnavailable`.
    """
    while after < room.state.backlog.start:
        lines, after = await _old_page(look, after)
        stream.write(encode(lines))
        await stream.drained()
    if lines := room.state.backlog.lines_after(after):  # from here on nothing waits: no gap
        stream.write(encode(lines))
    room.fanout.follow(stream, encode)


async def read_all(room: Room, look: Look, after: int) -> AsyncIterator[list[bytes]]:
    """Every line after that one, to the head. Raises `StorageUnavailable`."""
    while after < room.state.backlog.start:
        lines, after = await _old_page(look, after)
        yield lines
    yield room.state.backlog.lines_after(after)


async def read_next(room: Room, look: Look, after: int) -> list[bytes]:
    """The next lines after that one, at most a page; none at the head.

    Raises `StorageUnavailable`.
    """
    if after < room.state.backlog.start:
        lines, _ = await _old_page(look, after)
        return lines
    return room.state.backlog.lines_after(after)


async def _old_page(look: Look, after: int) -> tuple[list[bytes], int]:
    """A page of what is older than the room's memory, and its last `seq`."""
    entries = await look(after, _PAGE)
    if not entries:
        raise StorageUnavailable("lines that were there are gone")
    return [_line(entry) for entry in entries], entries[-1].seq


def _line(entry: Entry) -> bytes:
    return outgoing.lost_line(entry.seq) if entry.line is None else entry.line


async def _check(state: RoomState, look: Look, since: Token | int) -> Reason | None:
    if isinstance(since, Token):
        return await check_token(state, look, since)
    if since > state.last.seq:
        return "forked"
    return "trimmed" if since < state.base.seq else None


def _token_at(state: RoomState, seq: int) -> Token | None:
    if seq == state.last.seq:
        return state.head
    return state.base if seq == state.base.seq else None


async def _before_stamp(state: RoomState, look: Look, ms: int) -> int:
    """The last line older than that: timestamps rise from line to line."""
    low, high = state.base.seq, state.last.seq
    if state.last.stamp < ms:
        return high
    while low < high:
        middle = (low + high) // 2
        stamp = await _stamp_after(look, middle)
        if stamp is None or stamp >= ms:
            high = middle
        else:
            low = middle + 1
    return low


async def _stamp_after(look: Look, seq: int) -> int | None:
    """The timestamp of the next line; if that is damaged, of one soon after it."""
    for entry in await look(seq, _NEAR):
        if entry.line is not None:
            try:
                return parse_line(entry.line).timestamp
            except Damaged:
                continue
    return None
