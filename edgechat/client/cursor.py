"""Which line comes next: each `seq` once and in order, whatever is repeated or cut off.

Laws: `last` is the `seq` of the last line given out, None before any; `token` is the last line
that has an `h`, from which the room can be resumed. Neither moves back but by `reset`.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgechat.chat.line import Token
from edgechat.client.events import Line, Lost, Message, Record
from edgechat.client.frames import BadFrame, Frame

MAX_HOLE = 10_000  # lines: a server that is further behind a token than this says so (`far`)


class Hole(BadFrame):
    """A line came that is not the next one."""


class Cursor:
    """The place in the history up to which lines were given out."""

    def __init__(self, since: Token | None = None) -> None:
        self.last = since.seq if since else None
        self.token = since

    def reset(self) -> None:
        """Another history, or a part of it that does not join: any line may be the next."""
        self.last = None
        self.token = None

    def step(self, line: Line) -> Line | None:
        """Give out a live line; None for one that was given out before. Raises `Hole`."""
        if self.last is not None:
            if line.seq <= self.last:
                return None
            if line.seq != self.last + 1:
                raise Hole(f"line {line.seq} came after line {self.last}")
        return self._moved(line)

    def fill(self, line: Line) -> Iterator[Line]:
        """Give out a line of a join, and before it a `Lost` for each that the server left out.

        Unlike a hole in live lines, one in a join would be there again after the next one.
        """
        if self.last is not None:
            if line.seq > self.last + 1 + MAX_HOLE:
                raise Hole(f"line {line.seq} came after line {self.last}")
            for seq in range(self.last + 1, line.seq):
                yield self._moved(Lost(seq))
        given = self.step(line)
        if given is not None:
            yield given

    def arrive(self, head: Token) -> None:
        """The room's head, as `ready` says it: the place of one who has seen no line."""
        if self.last is None or self.last == head.seq:
            self.last = head.seq
            self.token = head

    def _moved(self, line: Line) -> Line:
        self.last = line.seq
        if not isinstance(line, Lost):
            self.token = Token(line.seq, line.h)
        return line


def line_of(frame: Frame) -> Line:
    """The line that a frame with a `seq` is. Raises `BadFrame`."""
    if frame.seq is None or frame.seq < 1:
        raise BadFrame(f"seq is {frame.seq}")
    if frame.kind == "lost":
        return Lost(frame.seq)
    if frame.h is None or (frame.kind is None and frame.message is None):
        raise BadFrame(f"line {frame.seq} is not whole")
    if frame.kind is not None or frame.message is None:
        return Record(frame.seq, frame.kind or "", frame.h)
    return Message(frame.seq, frame.timestamp, frame.name, frame.message, frame.h, frame.id)
