"""Finds and reads lines in a history file. All of it is synchronous: for a worker thread.

There is no index: `seq` rises from line to line, so a place is found by bisection, in some twenty
small reads, in a file of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import msgspec

from edgechat import system
from edgechat.chat.line import Entry, Token, claimed
from edgechat.history.chain_reader import ChainReader

_BLOCK = 64 * 1024
_SEQ = re.compile(rb'\{"seq":([0-9]{1,18}),')
# A header whose newline was damaged.
_HEADER_SEAM = re.compile(rb'\{"edgechat":[^\n]{,600}?\}\}[^\n](?=\{"seq":1,)')
_ID_CHARS = 2 * 64 + len(b',"id":""')  # at most, escaped
_TAIL = len(b',"h":"0123456789abcdef"}')
_ID = re.compile(rb',"id":("(?:[^"\\]|\\.)*")\Z')


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


class File(msgspec.Struct, frozen=True):
    """An open history file, as far as it is to be read: whole lines only."""

    fd: int
    start: int  # of the first line after the header
    end: int
    base: Token | None  # None where the header is damaged


def read_header(fd: int) -> tuple[Header | None, int]:
    """The header, None where it is damaged, and where the lines begin; 0: there is no header."""
    first = system.pread(fd, _BLOCK, 0)
    seam = _HEADER_SEAM.match(first)
    end = seam.end() if seam else first.find(b"\n") + 1
    try:
        header = msgspec.json.decode(first[: end - 1], type=Header)
        bytes.fromhex(header.base.h)
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return None, end
    line = _SEQ.match(first, end)
    beyond = line is not None and header.base.seq >= int(line[1])
    return (None if beyond or len(header.base.h) != 16 else header), end


def lines(file: File, start: int) -> Iterator[bytes]:
    """The lines from `start`, which must be the start of one; without newlines."""
    rest = b""
    while start < file.end:
        block = system.pread(file.fd, min(_BLOCK, file.end - start), start)
        if not block:
            return
        start += len(block)
        *whole, rest = (rest + block).split(b"\n")
        yield from whole


def read_from(file: File, seq: int) -> tuple[ChainReader, Iterator[bytes]]:
    """A walk that is about to yield line `seq + 1`, and the lines to feed it.

    It begins two lines earlier, so that the `h` it goes on from is a checked one.
    """
    if file.base is not None and seq <= file.base.seq + 2:
        return ChainReader(file.base.seq, bytes.fromhex(file.base.h)), lines(file, file.start)
    rest = lines(file, _find(file, seq - 1))
    for line in rest:
        at, h = _place(line)
        if h and seq - 1 <= at <= seq:
            return ChainReader(at, h), rest
        if at > seq:
            return ChainReader(seq, None), chain([line], rest)
    return ChainReader(seq, None), rest


def read_tail(file: File, most_bytes: int) -> tuple[ChainReader, list[Entry]]:
    """The entries in the last `most_bytes` or more, and the walk that has come to the end."""
    start = file.end - most_bytes
    if start <= file.start:
        base = file.base
        reader = ChainReader(base.seq, bytes.fromhex(base.h)) if base else ChainReader(0, None)
        return reader, list(read_through(reader, lines(file, file.start)))
    rest = lines(file, start)
    next(rest)  # begins somewhere in a line
    for line in rest:
        at, h = _place(line)
        if h:
            reader = ChainReader(at, h)
            if entries := list(read_through(reader, rest)):
                return reader, entries
    return read_tail(file, 8 * most_bytes)


def _place(line: bytes) -> tuple[int, bytes | None]:
    """A line's own word of its `seq` (-1 where it can't be read) and its `h`."""
    seq = _SEQ.match(line)
    return (int(seq[1]) if seq else -1), claimed(line)


def read(file: File, after: int, most: int, most_bytes: int) -> list[Entry]:
    """At most `most` entries after line `after`, and about `most_bytes`; at least one if any."""
    entries: list[Entry] = []
    size = 0
    for entry in entries_after(file, after):
        entries.append(entry)
        size += len(entry.line or b"")
        if len(entries) >= most or size >= most_bytes:
            break
    return entries


def read_before(file: File, before: int, most: int, most_bytes: int) -> list[Entry]:
    """At most `most` entries before line `before`, the newest of them, and about `most_bytes`."""
    entries: list[Entry] = []
    for entry in entries_after(file, before - 1 - most):
        if entry.seq >= before:
            break
        entries.append(entry)
    size = 0
    for at in range(len(entries) - 1, -1, -1):
        size += len(entries[at].line or b"")
        if size > most_bytes:
            return entries[min(at + 1, len(entries) - 1) :]
    return entries


def entries_after(file: File, after: int) -> Iterator[Entry]:
    """All entries after line `after`, as they are read."""
    reader, rest = read_from(file, after)
    yield from (entry for entry in read_through(reader, rest) if entry.seq > after)


def all_entries(file: File, reader: ChainReader) -> Iterator[Entry]:
    """All entries of a file, for a reader that is at its base."""
    return read_through(reader, lines(file, file.start))


def read_through(reader: ChainReader, rest: Iterator[bytes]) -> Iterator[Entry]:
    """The entries of consecutive lines, the damaged ones at their end too."""
    next_good = reader.next_good
    line = next(rest, None)
    while line is not None:
        following = next(rest, None)
        entry = next_good(line)
        if entry is not None:
            yield entry
        else:
            yield from reader.recover(line, following or b"")
        line = following
    yield from reader.finish()


def read_ids(file: File, after: int) -> dict[str, int]:
    """The idempotency keys of the lines after `after`, in order, each with its line's `seq`."""
    ids: dict[str, int] = {}
    for line in lines(file, _find(file, after)):
        found = _ID.search(line[-_ID_CHARS - _TAIL : -_TAIL])
        seq = _SEQ.match(line)
        if found and seq:
            with suppress(msgspec.DecodeError, UnicodeError):  # of a damaged line
                ids[msgspec.json.decode(found[1], type=str)] = int(seq[1])
    return ids


def _find(file: File, seq: int) -> int:
    """The start of a line at or before line `seq`, and not far before it."""
    low, high = file.start, file.end
    while high - low > _BLOCK:
        middle = (low + high) // 2
        found = _first_line(file, middle)
        if found is not None and found[1] <= seq:
            low = found[0]
        else:
            high = middle
    return low


def _first_line(file: File, start: int) -> tuple[int, int] | None:
    """The first line that starts after `start` and is followed by the one that should be.

    Returns its place and its `seq`. One line alone is not believed: its `seq` may be damaged.
    """
    block = system.pread(file.fd, min(2 * _BLOCK, file.end - start), start)
    at = block.find(b"\n") + 1
    while at:
        end = block.find(b"\n", at) + 1
        this, following = _SEQ.match(block, at), _SEQ.match(block, end)
        if end and this and following and int(following[1]) == int(this[1]) + 1:
            return start + at, int(this[1])
        at = end
    return None
