"""Bytes to messages: a fast path for what chat clients send, and `websockets` for all else.

Nearly every frame of a chat is whole, final, text and masked. Those are read here, in about a
microsecond. Any other goes, one whole frame at a time, through the Sans-I/O protocol of the
`websockets` library, which knows all of RFC 6455; so the fast path may begin again right after it.
`tests/net/test_frames.py` holds the two against each other.
"""

from __future__ import annotations

import logging

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from edgechat.chat.errors import Close
from edgechat.net.fragments import NOT_UTF8, Fragments, Wrong
from edgechat.net.frame_end import MASKED, frame_end

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled one
    from websockets.utils import apply_mask

_TEXT = 0x81  # final, text
_PONG = 0x8A
_CLOSE = 0x8  # an opcode
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_MAX_REASON = 123  # bytes of a close frame's reason: RFC 6455, section 5.5
_MAX_CONTROLS = 64  # frames that come at once: the library takes some 10 µs for each
# What one call deals with: a read of 16 KB may hold 2,700 fragments, which would take 13 ms.
_UNUSUAL_AT_ONCE = 16
_MESSAGES_AT_ONCE = 64

# `websockets` logs each connection at INFO; what a chat's operator wants to know, we log.
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.WARNING)


class FrameReader:
    """The receiving side of one WebSocket, after its handshake. It holds part of a frame at most.

    After each call, when `more` is true, there is more to read in what it has got: call `feed`
    again, with nothing. When `ended` is true, nothing more will come. `unusual` counts the frames
    that were dear to read, until the caller sets it to 0; without such there are no `replies`.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_controls",
        "_fragments",
        "_max_bytes",
        "_protocol",
        "ended",
        "more",
        "replies",
        "unusual",
    )

    def __init__(self, max_bytes: int) -> None:
        self.ended = False
        self.more = False
        self.unusual = 0
        self.replies = b""  # what the protocol wants sent: pongs, or its half of a close
        self._max_bytes = max_bytes
        self._buffer = b""
        self._closing = False  # this side has sent its close
        self._controls = 0  # in this piece
        self._protocol: ServerProtocol | None = None  # there while something unusual goes on
        self._fragments: Fragments | None = None  # of a message that is not whole yet

    def feed(self, data: bytes) -> list[str | None]:
        """The messages that `data` completes, in order; None stands for a binary one."""
        if self._protocol is None and not self._buffer:
            size = len(data) - 6
            if 0 <= size < 126 and data[1] == size + MASKED and data[0] == _TEXT:
                try:  # one usual frame and nothing else: nearly all that comes
                    return [apply_mask(data[6:], data[2:6]).decode()]
                except UnicodeDecodeError:
                    pass  # and below it is said what is wrong
        self._controls = 0 if data else self._controls
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        self.more = False
        messages: list[str | None] = []
        at = unusual = 0
        while at < len(data) and not self.ended:
            if unusual >= _UNUSUAL_AT_ONCE or len(messages) >= _MESSAGES_AT_ONCE:
                self._buffer, self.more = data[at:], True
                break
            end = self._usual(data, at, messages) if self._protocol is None else 0
            if not end:
                end = frame_end(data, at, self._room())
                if end > len(data):
                    self._buffer = data[at:]
                    break
                unusual += 1
                if not self._closing or data[at] & 0x0F == _CLOSE:
                    self._unusual(data[at:end], messages)
            at = end
        if not self._closing:  # else they were passed over
            self.unusual += unusual
        return messages

    def keep(self, data: bytes) -> None:
        """Read it with the next call of `feed`, before what that brings."""
        self._buffer += data
        self.more = True

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
        self._closing = True
        if protocol.state is OPEN:
            protocol.send_close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))
        return b"".join(protocol.data_to_send())

    def _usual(self, data: bytes, at: int, messages: list[str | None]) -> int:
        """Read one usual frame at `at`; returns its end, or 0 where it is another kind."""
        head = at + 6  # where it ends: two bytes and the mask
        size = data[at + 1] - MASKED if at + 2 <= len(data) else -1
        if size == 126 and head <= len(data):
            size, head = data[at + 2] << 8 | data[at + 3], at + 8
            if size > self._max_bytes:
                return 0
        end = head + size
        if size < 0 or end > len(data) or (size > 125 and head == at + 6):
            return 0
        if data[at] == _TEXT:
            text = apply_mask(data[head:end], data[head - 4 : head])
            try:
                messages.append(str(text, "utf-8"))
            except UnicodeDecodeError:
                protocol = self._the_protocol()
                protocol.fail(Close.INVALID_DATA, NOT_UTF8)
                self.unusual += 1
                self._after(protocol)
            return end
        if data[at] == _PONG and head == at + 6:  # nobody looks at what is in it
            self.unusual += 1
            return end
        return 0

    def _room(self) -> int:
        """How many bytes the next frame may have."""
        pending = self._protocol.current_size if self._protocol else None
        return self._max_bytes - (pending or 0)

    def _unusual(self, data: bytes, messages: list[str | None]) -> None:
        """Let the protocol read one whole frame, or enough of it to see what is wrong."""
        protocol = self._the_protocol()
        if data[0] & 0x0F == _CLOSE:
            # It may stand between fragments, as any control frame may (RFC 6455, section 5.4). The
            # library would answer that a message is not complete.
            self._fragments = protocol.current_size = None
        protocol.receive_data(data)
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)
            if protocol.state is OPEN:
                if frame.opcode in _DATA:
                    self._assemble(frame, messages)
                elif (controls := self._controls + 1) > _MAX_CONTROLS:
                    protocol.fail(Close.POLICY, "a flood of pings")
                else:
                    self._controls = controls
        self._after(protocol)

    def _assemble(self, frame: Frame, messages: list[str | None]) -> None:
        parts = self._fragments = self._fragments or Fragments()
        try:
            if parts.add(frame):
                self._fragments = None
                messages.append(parts.join())
        except Wrong as wrong:
            self._the_protocol().fail(wrong.code, wrong.reason)

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
