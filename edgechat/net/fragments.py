"""A message that comes in parts (RFC 6455, section 5.4)."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from edgechat.chat.errors import Close

NOT_UTF8 = "text that is not UTF-8"
_MAX = 64  # of one message: no chat client needs more than a few


class Wrong(Exception):
    """Parts of which no message can be made: the connection ends with this code and reason."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Fragments:
    """The parts that came so far."""

    __slots__ = ("_is_text", "_parts")

    def __init__(self) -> None:
        self._is_text = True
        self._parts: list[bytes] = []

    def add(self, frame: Frame) -> bool:
        """The next part; returns whether it is the last. Raises `Wrong`."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin and len(self._parts) >= _MAX:
            raise Wrong(Close.POLICY, "a message in too many fragments")
        return frame.fin

    def join(self) -> str | None:
        """The whole message; None is a binary one. Raises `Wrong`."""
        if not self._is_text:
            return None
        try:
            return b"".join(self._parts).decode()
        except UnicodeDecodeError:
            raise Wrong(Close.INVALID_DATA, NOT_UTF8) from None
