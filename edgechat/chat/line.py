"""The line: a message encoded once, and its place in the chain.

That one line of bytes is a line of the history file, the payload of the frame to every member,
the data of a server-sent event and a line of a history page. `docs/protocol.md` has the format.
"""

from __future__ import annotations

import re
from binascii import hexlify
from hashlib import blake2b
from typing import NamedTuple

import msgspec

DIGEST_BYTES = 8
NO_HASH = "0" * 16  # the head of a room without a file: any later history resumes from it
_TAIL = len(b',"h":"0123456789abcdef"}')
_CLAIM = re.compile(rb',"h":"([0-9a-f]{16})"}')

_encode = msgspec.json.Encoder().encode
_fresh = blake2b(digest_size=DIGEST_BYTES).copy  # a copy costs less than a new one with arguments


class Token(NamedTuple):
    """A place in one history: after line `seq`, whose chain hash is `h` (16 hex digits)."""

    seq: int
    h: str


NOWHERE = Token(0, NO_HASH)


class Entry(NamedTuple):
    """A line as read back. `line` is None where it is damaged; `h`, raw, where it can be read."""

    seq: int
    line: bytes | None
    h: bytes | None


class StoredLine(msgspec.Struct, frozen=True, gc=False):
    """A line that is to be stored, or was the last that was. `h` is raw; `stamp` in ms.

    `kind` is what the record says of itself, nothing for a message: see `kinds`.
    """

    seq: int
    h: bytes
    stamp: int
    line: bytes
    kind: str = ""

    @property
    def token(self) -> Token:
        """The place after it."""
        return Token(self.seq, self.h.hex())

    def next(self, now_ms: int, name: bytes, said: bytes) -> StoredLine:
        """The line after this one, chained. `name` and `said` are JSON already, as
        `encode_name` and `encode_said` make it.

        Its timestamp is `now_ms`, or 1 ms after this line's where the clock did not go on.
        """
        seq, stamp = self.seq + 1, self.stamp + 1
        if now_ms > stamp:
            stamp = now_ms
        body = b'{"seq":%d,"timestamp":%d,"name":%b,%b' % (seq, stamp, name, said)
        own = _fresh()
        own.update(body)
        chained = _fresh()
        chained.update(self.h + own.digest())
        h = chained.digest()
        return StoredLine(seq, h, stamp, b'%b,"h":"%b"}' % (body[:-1], hexlify(h)))


class Record(msgspec.Struct, frozen=True, gc=False):
    """What a line says. `kind` is there in later kinds of record only."""

    seq: int
    timestamp: int  # Unix time, ms
    h: str
    name: str = ""
    message: str = ""
    id: str | None = None
    kind: str | None = None


_decode = msgspec.json.Decoder(Record).decode


class Damaged(ValueError):
    """A line that is not what was once written there."""


def encode_name(name: str) -> bytes:
    """A name as JSON, once for a session."""
    return _encode(name)


def encode_said(message: str, id: str | None) -> bytes:
    """What a line says, as it stands there: `"message":…`, `"id":…` if there is one, `}`."""
    if id is None:
        return b'"message":%b}' % _encode(message)
    return b'"message":%b,"id":%b}' % (_encode(message), _encode(id))


def chain(previous: bytes, line: bytes) -> bytes:
    """The `h`, 8 raw bytes, that `line` must have after `previous`; the line's own is not read."""
    return _hash(previous + _hash(line[:-_TAIL] + b"}"))


def claimed(line: bytes) -> bytes | None:
    """The `h` that stands at the end of a line, 8 raw bytes; None where there is none."""
    claim = _CLAIM.fullmatch(line[-_TAIL:])
    return bytes.fromhex(claim[1].decode()) if claim else None


def ends_with(line: bytes, h: bytes) -> bool:
    """Whether `h`, 8 raw bytes, is what stands at the end of a line."""
    return line.endswith(b',"h":"%b"}' % h.hex().encode())


def parse_line(line: bytes) -> Record:
    """What a line says; raises `Damaged` where it says nothing. The chain is not checked."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(str(error)) from None


def _hash(data: bytes) -> bytes:
    state = _fresh()
    state.update(data)
    return state.digest()
