"""One record of the journal: a line of a history, the room that it belongs to, and a check.

    public lobby 5d41a0c2 {"seq":42,…}

Plain text, one record a line: `grep` works. The check is CRC-32 (8 hex digits) over what stands
before and after it, so that a record is whole or is none. A history's header is a record, too.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from edgechat.chat.names import BadRoomName, RoomKey, public_room_name

_KINDS = {b"public": False, b"private": True}
_PRIVATE_CHARS = 64
_HEADER = b"journal 1 "


class SegmentHeader(msgspec.Struct, frozen=True):
    """A segment's first line.

    `before` has every older segment that is still there, by number, and the bytes of it that may
    be believed: what stands behind was refused, although it may be there.
    """

    segment: int
    before: dict[str, int] = {}


def pack(key: RoomKey, lines: Sequence[bytes]) -> bytes:
    """Records of a room's lines (without newlines)."""
    kind = b"private" if key.private else b"public"
    return _pack(b"%b %b " % (kind, key.name.encode()), lines)


def unpack(record: bytes) -> tuple[RoomKey, bytes] | None:
    """The room and the line of a record without its newline; None where it is damaged."""
    place, line = _unpack(record)
    kind, _, name = place[:-1].partition(b" ")
    if not line or kind not in _KINDS:
        return None
    with suppress(UnicodeDecodeError, BadRoomName, ValueError):
        key = RoomKey(name.decode(), _KINDS[kind])
        return (key, line) if _is_name(key) else None
    return None


def pack_header(header: SegmentHeader) -> bytes:
    """A segment's first line, with its newline."""
    return _pack(_HEADER, [msgspec.json.encode(header)])


def unpack_header(record: bytes) -> SegmentHeader | None:
    """What a segment's first line says; None where it is damaged."""
    place, text = _unpack(record)
    if place == _HEADER:
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=SegmentHeader)
    return None


def _pack(place: bytes, lines: Sequence[bytes]) -> bytes:
    begun = crc32(place)
    return b"".join([b"%b%08x %b\n" % (place, crc32(line, begun), line) for line in lines])


def _unpack(record: bytes) -> tuple[bytes, bytes]:
    """What stands before the check and after it; nothing where the check is wrong."""
    kind, _, rest = record.partition(b" ")
    name, _, rest = rest.partition(b" ")
    check, _, line = rest.partition(b" ")
    place = b"%b %b " % (kind, name)
    return (place, line) if check == b"%08x" % crc32(line, crc32(place)) else (b"", b"")


def _is_name(key: RoomKey) -> bool:
    """Names become paths: only those that a room can have."""
    if key.private:
        return len(key.name) == _PRIVATE_CHARS and len(bytes.fromhex(key.name)) == 32
    return public_room_name(key.name) == key.name
