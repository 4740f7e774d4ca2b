"""Frames, as a client sends them (the upgrade, a hello, pongs) and as it takes them apart."""

from __future__ import annotations

import json

# Any key will do (RFC 6455, 5.3): servers unmask at the same cost whatever it is.
MASK = b"\x5a\xc3\x17\x6e"

NO_NAME = "member"  # in the hello to a server that knows no names


def masked(payload: bytes) -> bytes:
    """The payload, masked."""
    key = MASK * (len(payload) // 4 + 1)
    size = len(payload)
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(key[:size], "big")
    return mixed.to_bytes(size, "big")


def text_frame(payload: bytes) -> bytes:
    """A whole, masked text frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + MASK + masked(payload)
    return b"\x81\xfe" + size.to_bytes(2, "big") + MASK + masked(payload)


def upgrade(room: str, host: str) -> bytes:
    """The request that opens a WebSocket in a room."""
    return (
        f"GET /api/room/{room}/websocket HTTP/1.1\r\nHost: {host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def hello(name: str, **extra: object) -> bytes:
    """The first frame: who comes, and with `v` and `since` what is known already."""
    return text_frame(json.dumps({"name": name, **extra}, separators=(",", ":")).encode())


# One that nobody asked for (RFC 6455, 5.5.3): it says that the sender lives.
PONG = bytes((0x8A, 0x80)) + MASK


def pongs(stream: bytes) -> bytes:
    """The answers to the pings in a piece of a stream of text frames.

    A ping's first byte is none of ASCII's. It also occurs in lengths over 125, so a ping must end
    where the piece ends or another frame begins.
    """
    answers, at = b"", stream.find(b"\x89")
    while 0 <= at < len(stream) - 1:
        size = stream[at + 1]
        end = at + 2 + size
        if size < 126 and (end == len(stream) or stream[end : end + 1] in (b"\x81", b"\x89")):
            answers += bytes((0x8A, 0x80 | size)) + MASK + masked(stream[at + 2 : end])
        at = stream.find(b"\x89", at + 1)
    return answers


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """The text payloads in what a server sent, and the rest that is no whole frame yet."""
    found, at = [], 0
    while len(stream) - at >= 2:
        first, size, start = stream[at], stream[at + 1], at + 2
        if size > 127:
            raise ValueError("a server must not mask")
        if size > 125:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(stream[start : start + width], "big"), start + width
        if len(stream) - start < size or start > len(stream):
            break
        at = start + size
        if first == 0x81:
            found.append(stream[start:at])
        elif first not in (0x88, 0x89, 0x8A):
            raise ValueError(f"unexpected frame header {first:#x}")
    return found, stream[at:]
