"""The text of the journal: commits, and the records in them.

    commit 5d41a0c2 1234
    public lobby {"seq":42,…}
    public ops {"seq":7,…}

Plain text, one record a line: `grep` works. A commit's first line has the check of its records,
CRC-32 in 8 hex digits, and how many bytes they have, newlines included: so a commit is whole or is
none. A record has a room, and a line of its history byte for byte. A history's header is a record,
too. One check for all of them costs next to nothing; one for each would cost more than all else
that the journal does.
"""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from edgechat.chat.names import BadRoomName, RoomKey, public_room_name

_KINDS = {b"public": False, b"private": True}
_PRIVATE_CHARS = 64
_HEADER = b"journal 1 "
_COMMIT = re.compile(rb"commit ([0-9a-f]{8}) ([0-9]{1,12})\n")


class SegmentHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """A segment's first line.

    `before` has every older segment that is still there, by number, and the bytes of it that may
    be believed: what stands behind was refused, although it may be there. `owner` is the number of
    the process that wrote it, where several share a folder.
    """

    segment: int
    before: dict[str, int] = {}
    owner: int | None = None


def place_of(key: RoomKey) -> bytes:
    """What the records of a room begin with. A line follows."""
    return b"%b %b " % (b"private" if key.private else b"public", key.name.encode())


def pack(records: Sequence[bytes]) -> bytes:
    """A commit of records (without newlines)."""
    text = b"\n".join(records) + b"\n"
    return b"commit %08x %d\n%b" % (crc32(text), len(text), text)


def unpack(text: bytes) -> Iterator[list[bytes] | None]:
    """The records of each commit in a segment's text; None for what is damaged."""
    at = 0
    while 0 <= at < len(text):
        if found := _COMMIT.match(text, at):
            end = found.end() + int(found[2])
            records = text[found.end() : end]
            if len(records) == int(found[2]) and int(found[1], 16) == crc32(records):
                yield records[:-1].split(b"\n")
                at = end
                continue
        yield None
        following = _COMMIT.search(text, at + 1)
        at = following.start() if following else -1


def unpack_record(record: bytes) -> tuple[RoomKey, bytes] | None:
    """The room and the line of a record; None where there is none."""
    kind, _, rest = record.partition(b" ")
    name, _, line = rest.partition(b" ")
    if not line or kind not in _KINDS:
        return None
    with suppress(UnicodeDecodeError, BadRoomName, ValueError):
        key = RoomKey(name.decode(), _KINDS[kind])
        return (key, line) if _is_name(key) else None
    return None


def pack_header(header: SegmentHeader) -> bytes:
    """A segment's first line, with its newline."""
    text = msgspec.json.encode(header)
    return b"%b%08x %b\n" % (_HEADER, crc32(text), text)


def unpack_header(line: bytes) -> SegmentHeader | None:
    """What a segment's first line (without its newline) says; None where it is damaged."""
    check, _, text = line.removeprefix(_HEADER).partition(b" ")
    if line.startswith(_HEADER) and check == b"%08x" % crc32(text):
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=SegmentHeader)
    return None


def _is_name(key: RoomKey) -> bool:
    """Names become paths: only those that a room can have."""
    if key.private:
        return len(key.name) == _PRIVATE_CHARS and len(bytes.fromhex(key.name)) == 32
    return public_room_name(key.name) == key.name
