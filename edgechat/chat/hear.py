"""What comes from other servers: lines, stored already; who is there, and who types."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from edgechat.chat import outgoing
from edgechat.chat.apply import Outcome
from edgechat.chat.kinds import is_for
from edgechat.chat.line import StoredLine, parse_line
from edgechat.chat.state import RoomState


class Others(msgspec.Struct, frozen=True):
    """All who are in a room on another server: some by name, each session once, and more."""

    server: str
    names: Sequence[str]
    more: int


News = Others | str  # a name: somebody types elsewhere
Here = Callable[[], tuple[list[str], int]]  # names, and how many more: `Roster.here`


def hear(room: RoomState, lines: Sequence[StoredLine]) -> Outcome:
    """Move the room's head over these lines, which go on from it, and return what is to be sent.

    Raises `Damaged` for a line that is none.
    """
    v1: list[bytes] = []
    v2: list[bytes] = []
    for new in lines:
        said = parse_line(new.line)
        frame = outgoing.text_frame(new.line)
        room.hear(new, said.id)
        room.stop_typing(said.name)
        v2.append(frame)
        if is_for(new.line, v2=False):
            v1.append(frame)
    raw = [new.line for new in lines]
    return Outcome(b"".join(v1), b"".join(v2), {}, (), (), (), lines=raw)


def hear_news(room: RoomState, news: Sequence[News], now: float) -> Outcome:
    """Take in who came, went and types elsewhere. `now` is in seconds of the clock."""
    v1: list[bytes] = []
    v2: list[bytes] = []
    for one in news:
        if isinstance(one, Others):
            for_v1, for_v2 = room.roster.replace(one.server, one.names, one.more)
            v1.append(for_v1)
            v2.append(for_v2)
        elif not room.roster.big:
            v2.append(room.type(one, now))
    return Outcome(b"".join(v1), b"".join(v2), {}, (), (), ())
