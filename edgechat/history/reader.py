"""Finds and reads lines in a history file. All of it is synchronous: for a worker thread.

There is no index: `seq` rises from line to line, so a place is found by bisection, in some twenty
small reads, in a file of any length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from edgechat import system
from edgechat.chat.line import Entry, claimed
from edgechat.history.chain_reader import ChainReader
from edgechat.history.header import Base as Base
from edgechat.history.header import Header as Header
from edgechat.history.records import (
    BLOCK,
    OPENS,
    START,
    is_record,
    lines,
    look_ahead,
    pieces,
    split,
)
from edgechat.history.records import File as File
from edgechat.history.search import find, first_start, last_start


def read_from(file: File, seq: int) -> tuple[ChainReader, Iterator[bytes]]:
    """A walk that is about to yield line `seq + 1`, and the lines to feed it.

    It begins two lines earlier, so that the `h` it goes on from is a checked one.
    """
    if file.base is not None and seq <= file.base.seq + 2:
        h = bytes.fromhex(file.base.h)
        return ChainReader(file.base.seq, h, since=seq), lines(file, file.start)
    return _anchored(lines(file, find(file, seq - 1)), seq)


def _anchored(rest: Iterator[bytes], seq: int) -> tuple[ChainReader, Iterator[bytes]]:
    """The walk that goes on from the first of these lines that is `seq` or the one before it."""
    for line in rest:
        first = START.match(line)
        if first and int(first[1]) < seq - 1 and not line.rfind(OPENS):
            continue  # most are
        found = [line] if is_record(line) else split(line)
        for number, piece in enumerate(found, 1):
            at, h = _place(piece)
            if h and seq - 1 <= at <= seq:
                return ChainReader(at, h, since=seq), chain(found[number:], rest)
            if at > seq:
                unsure = ChainReader(seq, None, since=seq)
                return unsure, chain(found[number - 1 :], rest)
    return ChainReader(seq, None, since=seq), rest


def read_tail(file: File, most: int, most_bytes: int) -> tuple[ChainReader, list[Entry]]:
    """The newest `most` entries of the last `most_bytes` or more, and the walk that is at the end.

    Where that is all of the file, the walk began at its base.
    """
    last = last_start(file)
    start = None if last is None else first_start(file, max(last - most_bytes, file.start))
    if last is None or start is None or last - most_bytes <= file.start:
        reader = _from_base(file, most)
        return reader, list(deque(all_entries(file, reader), most))
    anchored = _anchor(lines(file, start), most)
    if anchored is not None:
        entries = deque(read_through(*anchored), most)
        if entries and entries[0].line is None:
            entries.popleft()  # its line before is not known to be good
        if entries:
            return anchored[0], list(entries)
    return read_tail(file, most, 8 * most_bytes)


def _from_base(file: File, newest: int | None = None) -> ChainReader:
    """A walk that begins where the file does."""
    seq, h = file.base or (0, None)
    return ChainReader(seq, bytes.fromhex(h) if h else None, newest=newest)


def _anchor(rest: Iterator[bytes], newest: int) -> tuple[ChainReader, Iterator[bytes]] | None:
    """The walk that goes on from the first line whose `h` can be read."""
    for line in rest:
        found = [line] if is_record(line) else split(line)
        for number, piece in enumerate(found, 1):
            at, h = _place(piece)
            if h and at >= 0:
                return ChainReader(at, h, newest=newest), chain(found[number:], rest)
    return None


def _place(line: bytes) -> tuple[int, bytes | None]:
    """A line's own word of its `seq` (-1 where it can't be read) and its `h`."""
    seq = START.match(line)
    return (int(seq[1]) if seq else -1), claimed(line)


def read(file: File, after: int, most: int, most_bytes: int) -> list[Entry]:
    """At most `most` entries after line `after`, and about `most_bytes`; at least one if any.

    There is one for each `seq` from the first to the last of them, lost lines too.
    """
    entries: list[Entry] = []
    size = 0
    for entry in entries_after(file, after):
        entries.append(entry)
        size += len(entry.line or b"")
        if len(entries) >= most or size >= most_bytes:
            break
    return entries


def read_lines(file: File, seqs: Sequence[int]) -> dict[int, bytes]:
    """Single lines, by their `seq`; damaged ones are left out."""
    found: dict[int, bytes] = {}
    for seq in seqs:
        for entry in read(file, seq - 1, 1, 1):
            if entry.seq == seq and entry.line is not None:
                found[seq] = entry.line
    return found


def read_before(file: File, before: int, most: int, most_bytes: int) -> list[Entry]:
    """At most `most` entries before line `before`, the newest of them, and about `most_bytes`.

    At least one if any; one for each `seq` from the first to the last of them, lost lines too.
    """
    near = find(file, before - 1)
    enough = near - most_bytes - BLOCK  # and some lines to be checked by
    if enough > file.start:
        start = first_start(file, enough)
        if start is not None and start < near:
            first = START.match(system.pread(file.fd, BLOCK, start))
            seq = int(first[1]) + 1 if first else 0
            if before - 1 - most < seq < before - 1:
                walk = _anchored(lines(file, start), seq)
                if entries := _last(walk, before, most_bytes):
                    return entries
    return _last(read_from(file, before - 1 - most), before, most_bytes)


def _last(walk: tuple[ChainReader, Iterator[bytes]], before: int, most_bytes: int) -> list[Entry]:
    """The newest entries of a walk before line `before`."""
    entries: deque[Entry] = deque()
    size, since = 0, walk[0].since
    for entry in read_through(*walk):
        if entry.seq >= before:
            break
        if entry.seq <= since:
            continue
        entries.append(entry)
        size += len(entry.line or b"")
        while size > most_bytes and len(entries) > 1:
            size -= len(entries.popleft().line or b"")
    return list(entries)


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
    for line in rest:
        entry = next_good(line)
        if entry is not None:
            yield entry
        else:
            yield from _read_odd(reader, line, rest)
    yield from reader.finish()


def _read_odd(reader: ChainReader, line: bytes, rest: Iterator[bytes]) -> Iterator[Entry]:
    """The entries of a line that is not simply good, and of those that it is judged by."""
    for piece, is_line, waiting in pieces(line, rest):
        entry = reader.next_good(piece)
        if entry is not None:
            reader.reframed += not is_line
            yield entry
        else:
            yield from reader.recover(piece, look_ahead(waiting, rest))
