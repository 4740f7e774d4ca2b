"""Lines that were said on another server: they are stored already, and everybody may know."""

from __future__ import annotations

from collections.abc import Sequence

from edgechat.chat import outgoing
from edgechat.chat.apply import Outcome
from edgechat.chat.kinds import is_for
from edgechat.chat.line import StoredLine, parse_line
from edgechat.chat.state import RoomState


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
