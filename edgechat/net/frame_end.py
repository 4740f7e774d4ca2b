"""Where a WebSocket frame ends."""

from __future__ import annotations

MASKED = 0x80  # the bit beside the length: what clients send is masked
_OPCODES = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))


def frame_end(data: bytes, at: int, room: int) -> int:
    """Where the frame at `at` ends: beyond `data` where more of it has to come.

    A frame that is wrong by its first bytes already ends where `data` does, so that the protocol
    is given all there is and says what is wrong. RFC 6455, section 5.2.
    """
    have = len(data) - at
    if have < 2:
        return len(data) + 1
    size = data[at + 1] - MASKED
    if data[at] & 0x0F not in _OPCODES or size < 0:
        return len(data)
    extended = {126: 2, 127: 8}.get(size, 0)
    if have < 2 + extended:
        return len(data) + 1
    if extended:
        size = int.from_bytes(data[at + 2 : at + 2 + extended], "big")
    return len(data) if size > room else at + 2 + extended + 4 + size
