"""Bytes to messages: a fast path for what chat clients send, and `websockets` for all else.

Nearly every frame of a chat is whole, final, text, masked and shorter than 126 bytes. Those are
read here, in about a microsecond. Any other goes, one whole frame at a time, through the Sans-I/O
protocol of the `websockets` library, which knows all of RFC 6455; so the fast path may begin
again right after it. `tests/net/test_frames.py` holds the two against each other.
"""

from __future__ import annotations

import logging

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from edgechat.chat.errors import Close

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled one
    from websockets.utils import apply_mask

_TEXT = 0x81  # final, text
_PONG = 0x8A
_MASKED = 0x80
_OPCODES = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_MAX_REASON = 123  # bytes of a close frame's reason: RFC 6455, section 5.5
_NOT_UTF8 = "text that is not UTF-8"
_MAX_FRAGMENTS = 64  # of one message: no chat client needs more than a few
_MAX_CONTROLS = 64  # frames that come at once: the library takes 20 µs for each

# `websockets` logs each connection at INFO; what a chat's operator wants to know, we log.
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.WARNING)


class FrameReader:
    """The receiving side of one WebSocket, after its handshake. It holds part of a frame at most.

    After each call, send `replies` if there are any; when `ended` is true, nothing more will come.
    """

    __slots__ = (
        "_buffer",
        "_controls",
        "_fragments",
        "_is_text",
        "_max_bytes",
        "_protocol",
        "ended",
        "replies",
    )

    def __init__(self, max_bytes: int) -> None:
        self.ended = False
        self.replies = b""  # what the protocol wants sent: pongs, or its half of a close
        self._max_bytes = max_bytes
        self._buffer = b""
        self._controls = 0  # in this piece
        self._protocol: ServerProtocol | None = None  # there while something unusual goes on
        self._fragments: list[bytes] = []
        self._is_text = True

    def feed(self, data: bytes) -> list[str | None]:
        """The messages that `data` completes, in order; None stands for a binary one."""
        if self._protocol is None and not self._buffer:
            size = len(data) - 6
            if 0 <= size < 126 and data[1] == size + _MASKED and data[0] == _TEXT:
                try:  # one usual frame and nothing else: nearly all that comes
                    return [apply_mask(data[6:], data[2:6]).decode()]
                except UnicodeDecodeError:
                    pass  # and below it is said what is wrong
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        messages: list[str | None] = []
        at = self._controls = 0
        while at < len(data) and not self.ended:
            end = self._short(data, at, messages) if self._protocol is None else 0
            if not end:
                end = _frame_end(data, at, self._room())
                if end > len(data):
                    self._buffer = data[at:]
                    break
                self._unusual(data[at:end], messages)
            at = end
        return messages

    def take_replies(self) -> bytes:
        """`replies`, which are none then."""
        replies, self.replies = self.replies, b""
        return replies

    @property
    def close_code(self) -> int | None:
        """Of the close frame that this side has sent, or echoed."""
        sent = self._protocol.close_sent if self._protocol is not None else None
        return sent.code if sent is not None else None

    def close(self, code: int, reason: str) -> bytes:
        """The close frame to send. From now on messages are dropped, until the other's close."""
        protocol = self._the_protocol()
        if protocol.state is OPEN:
            protocol.send_close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))
        return b"".join(protocol.data_to_send())

    def _short(self, data: bytes, at: int, messages: list[str | None]) -> int:
        """Read one usual frame at `at`; returns its end, or 0 where it is another kind."""
        size = data[at + 1] - _MASKED if at + 2 <= len(data) else -1
        end = at + 6 + size
        if not 0 <= size < 126 or end > len(data):
            return 0
        if data[at] == _TEXT:
            text = apply_mask(data[at + 6 : end], data[at + 2 : at + 6])
            try:
                messages.append(str(text, "utf-8"))
            except UnicodeDecodeError:
                protocol = self._the_protocol()
                protocol.fail(Close.INVALID_DATA, _NOT_UTF8)
                self._after(protocol)
            return end
        return end if data[at] == _PONG else 0

    def _room(self) -> int:
        """How many bytes the next frame may have."""
        pending = self._protocol.current_size if self._protocol else None
        return self._max_bytes - (pending or 0)

    def _unusual(self, data: bytes, messages: list[str | None]) -> None:
        """Let the protocol read one whole frame, or enough of it to see what is wrong."""
        protocol = self._the_protocol()
        protocol.receive_data(data)
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)
            if protocol.state is OPEN:
                if frame.opcode in _DATA:
                    self._assemble(frame, messages)
                else:
                    self._count_control(protocol)
        self._after(protocol)

    def _assemble(self, frame: Frame, messages: list[str | None]) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            data, self._fragments = b"".join(self._fragments), []
            try:
                messages.append(str(data, "utf-8") if self._is_text else None)
            except UnicodeDecodeError:
                self._the_protocol().fail(Close.INVALID_DATA, _NOT_UTF8)
        elif len(self._fragments) >= _MAX_FRAGMENTS:
            self._the_protocol().fail(Close.POLICY, "a message in too many fragments")

    def _count_control(self, protocol: ServerProtocol) -> None:
        self._controls += 1
        if self._controls > _MAX_CONTROLS:
            protocol.fail(Close.POLICY, "a flood of pings")

    def _after(self, protocol: ServerProtocol) -> None:
        """Keep what the protocol wants sent; let go of it where the fast path may go on."""
        self.replies += b"".join(protocol.data_to_send())
        self.ended = protocol.eof_sent
        if protocol.state is OPEN and protocol.current_size is None:
            self._protocol = None

    def _the_protocol(self) -> ServerProtocol:
        if self._protocol is None:
            self._protocol = ServerProtocol(state=OPEN, max_size=self._max_bytes, logger=_quiet)
        return self._protocol


def _frame_end(data: bytes, at: int, room: int) -> int:
    """Where the frame at `at` ends: beyond `data` where more of it has to come.

    A frame that is wrong by its first bytes already ends where `data` does, so that the protocol
    is given all there is and says what is wrong. RFC 6455, section 5.2.
    """
    have = len(data) - at
    if have < 2:
        return len(data) + 1
    size = data[at + 1] - _MASKED
    if data[at] & 0x0F not in _OPCODES or size < 0:
        return len(data)
    extended = {126: 2, 127: 8}.get(size, 0)
    if have < 2 + extended:
        return len(data) + 1
    if extended:
        size = int.from_bytes(data[at + 2 : at + 2 + extended], "big")
    return len(data) if size > room else at + 2 + extended + 4 + size
