"""A member that sends numbered messages."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from bench.load.errors import LoadError
from bench.load.member import Member
from bench.load.messages import NumberedMessages


@dataclass(eq=False)
class Sender:
    """Sends messages numbered from 0, and keeps the moment each was meant for."""

    member: Member
    messages: NumberedMessages
    key: int
    moments: array[int] = field(default_factory=lambda: array("q"))
    acknowledged: int = 0

    def send(self, moment_ns: int, count: int = 1) -> None:
        """Send so many messages, meant for that moment."""
        first, frame = len(self.moments), self.messages.frame
        frames = b"".join([frame(number) for number in range(first, first + count)])
        for _ in range(count):
            self.moments.append(moment_ns)
        if self.member.socket.send(frames) != len(frames):
            raise LoadError("the server no longer reads")
