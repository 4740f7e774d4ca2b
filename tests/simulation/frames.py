"""What goes over a connection, as bytes: read and written without any code of EdgeChat's."""

from __future__ import annotations

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))  # a client's


class Frames:
    """One direction: the handshake's half, then frames; whole text frames are given out."""

    def __init__(self) -> None:
        self._data = b""
        self.status: int | None = None  # of the handshake's answer; 101 for a request
        self.close: int | None = None  # the code of the close frame
        self.pings = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the text frames that `data` completes."""
        self._data += data
        if self.status is None and not self._read_head():
            return []
        texts: list[bytes] = []
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == _TEXT:
                assert self.close is None, "a frame after the close frame"
                texts.append(payload)
            elif opcode == _CLOSE:
                self.close = int.from_bytes(payload[:2], "big")
            else:
                self.pings += opcode == _PING
        return texts

    def _read_head(self) -> bool:
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return False
        self.status = 101 if head.startswith(b"GET ") else int(head.split(b" ", 2)[1])
        self._data = rest if self.status == 101 else b""
        return self.status == 101

    def _next(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        masked, size = data[1] >= 0x80, data[1] & 0x7F
        start = {126: 4, 127: 10}.get(size, 2)
        if size >= 126:
            size = int.from_bytes(data[2:start], "big")
        mask, start = data[start : start + 4 * masked], start + 4 * masked
        payload = data[start : start + size]
        if len(payload) < size or len(data) < start:
            return None
        self._data = data[start + size :]
        return data[0], _unmask(payload, mask) if masked else payload


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def text(payload: str) -> bytes:
    """A client's text frame. Its mask is zero: RFC 6455 wants one, whichever."""
    data = payload.encode()
    size = len(data)
    if size < 126:
        return bytes((_TEXT, 0x80 | size, 0, 0, 0, 0)) + data
    return bytes((_TEXT, 0x80 | 126)) + size.to_bytes(2, "big") + bytes(4) + data


def handshake(room: str) -> bytes:
    """A client's opening handshake."""
    return (
        f"GET /api/room/{room}/websocket HTTP/1.1\r\nHost: edge.chat\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
