"""A history file's header, and what of the file is to be read."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import msgspec

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import Token
from edgechat.chat.names import BadRoomName, public_room_name
from edgechat.history.records import BLANK, BLOCK, HEADER, START

FORMAT = 1

_UTF16 = (b"\xff\xfe", b"\xfe\xff", b'{\0"\0', b'\0{\0"')  # not "{" and a hole
_UTF8_MARK = b"\xef\xbb\xbf"
_NOT_ITS_OWN = "the header is one of format {}: this server knows format 1"


class Base(msgspec.Struct):
    """The token before a history's first line."""

    seq: int
    h: str


class Header(msgspec.Struct):
    """A history file's first line."""

    edgechat: int
    room: str
    created: int  # Unix time, ms
    base: Base

    @property
    def token(self) -> Token:
        """Where the history begins."""
        return Token(self.base.seq, self.base.h)


class Beginning(NamedTuple):
    """What a file begins with."""

    header: Header | None  # None where it is damaged or missing
    start: int  # of the first line
    refusal: str = ""  # why no room may go on with this file, whatever its name

    def refusal_of(self, room: str) -> str:
        """Why that room must not go on with this file; empty where it may."""
        if self.refusal or self.header is None or _is_nearly(self.header.room, room):
            return self.refusal
        return "the header is one of another room"

    def is_damaged(self, room: str) -> bool:
        """Whether the header is not as that room's was written."""
        return self.header is None or not _is_named(self.header.room, room)


def read_beginning(fd: int) -> Beginning:
    """The header, and where the lines begin. What stands between them costs nothing."""
    first = system.pread(fd, BLOCK, 0)
    if first.startswith(_UTF16):
        return Beginning(None, 0, "it is in UTF-16: convert it to UTF-8")
    if not (found := HEADER.search(first)) or first[: found.start()].strip(BLANK):
        return Beginning(None, _first_line(first))
    start = len(first) - len(first[found.end() :].lstrip(b" \t\r\n"))
    header = _decode(found[0])
    if header is not None and header.edgechat != FORMAT:
        return Beginning(header, start, _NOT_ITS_OWN.format(header.edgechat))
    line = START.match(first, start)
    if header is None or (line is not None and header.base.seq >= int(line[1])):
        return Beginning(None, start)
    return Beginning(header, start)


def refuse_strange(fd: int, room: str) -> None:
    """Raises `StorageUnavailable` for a file that is another room's, or of another format.

    Its reason is for the log.
    """
    if reason := read_beginning(fd).refusal_of(room):
        raise StorageUnavailable(reason)


def _decode(data: bytes) -> Header | None:
    try:
        header = msgspec.json.decode(data, type=Header)
        return header if len(bytes.fromhex(header.base.h)) == 8 else None
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return None


def _first_line(first: bytes) -> int:
    """Where the lines begin in a file without a header that can be read."""
    line = START.search(first)
    newline = first.find(b"\n") + 1
    if line is None:
        return newline
    is_first = not first[: line.start()].strip(BLANK)
    return line.start() if is_first or not newline else min(newline, line.start())


def _is_named(named: str, room: str) -> bool:
    """Whether a header names that room."""
    if named == room:
        return True
    with suppress(BadRoomName):
        return public_room_name(named) == room
    return False


def _is_nearly(named: str, room: str) -> bool:
    """Whether a header names that room, or did so before one bit of it was damaged."""
    one, other = named.encode(errors="replace"), room.encode()
    wrong = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return _is_named(named, room) or (len(one) == len(other) and wrong.bit_count() == 1)
