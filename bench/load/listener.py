"""Parses what one member receives closely enough to time each message."""

from __future__ import annotations

import re

from bench.load.messages import MARK
from bench.load.sender import Sender

NUMBERED = re.compile(MARK + rb"(\d{12})")  # four of the sender, eight of the message
NUMBERED_BYTES = len(MARK) + 12
FRAME_END = ord("}")


class Listener:
    """The numbers of the messages that one member receives, and their order."""

    __slots__ = ("order", "own", "rest", "sender")

    def __init__(self, sender: Sender | None) -> None:
        self.sender = sender
        self.own = b"none" if sender is None else b"%04d" % sender.key
        self.rest = b""
        self.order = 0  # a checksum over all numbers received, in their order

    def receive(self, buffer: bytearray, size: int) -> list[bytes]:
        """The twelve digits of each message in the next piece of the stream."""
        if not self.rest and buffer[size - 1] == FRAME_END:
            return NUMBERED.findall(buffer, 0, size)
        whole = self.rest + buffer[:size]
        end = max((match.end() for match in NUMBERED.finditer(whole)), default=0)
        self.rest = whole[max(end, len(whole) - NUMBERED_BYTES + 1) :]
        return NUMBERED.findall(whole)
