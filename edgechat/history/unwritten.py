"""Reads a history whose newest lines are stored in the journal, and not in its file yet.

`unwritten` are those lines, in memory: they go on from where the file ends. Synchronous: for a
worker thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from edgechat.chat.line import Entry, claimed
from edgechat.history import reader
from edgechat.history.id_scan import read_id, read_ids
from edgechat.history.records import START, File


def first_seq(unwritten: Sequence[bytes]) -> int:
    """The number of the first of at least one line."""
    found = START.match(unwritten[0])
    assert found is not None
    return int(found[1])


def read_after(
    file: File, unwritten: Sequence[bytes], after: int, most: int, most_bytes: int
) -> list[Entry]:
    """See `reader.read`."""
    if not unwritten:
        return reader.read(file, after, most, most_bytes)
    is_in_file = after < first_seq(unwritten) - 1
    entries = reader.read(file, after, most, most_bytes) if is_in_file else []
    size = sum(len(entry.line or b"") for entry in entries)
    for entry in _entries(unwritten):
        if entries and (len(entries) >= most or size >= most_bytes):
            break
        if entry.seq > after:
            entries.append(entry)
            size += len(entry.line or b"")
    return entries


def read_before(
    file: File, unwritten: Sequence[bytes], before: int, most: int, most_bytes: int
) -> list[Entry]:
    """See `reader.read_before`."""
    newest: deque[Entry] = deque()
    size = 0
    for entry in reversed(list(_entries(unwritten))):
        if newest and (len(newest) >= most or size >= most_bytes):
            return list(newest)
        if entry.seq < before:
            newest.appendleft(entry)
            size += len(entry.line or b"")
    if len(newest) >= most or (newest and size >= most_bytes):
        return list(newest)
    if unwritten:
        before = min(before, first_seq(unwritten))
    return [*reader.read_before(file, before, most - len(newest), most_bytes - size), *newest]


def read_lines(file: File, unwritten: Sequence[bytes], seqs: Sequence[int]) -> dict[int, bytes]:
    """See `reader.read_lines`."""
    if not unwritten:
        return reader.read_lines(file, seqs)
    first = first_seq(unwritten)
    found = reader.read_lines(file, [seq for seq in seqs if seq < first])
    for seq in seqs:
        if 0 <= seq - first < len(unwritten):
            found[seq] = unwritten[seq - first]
    return found


def read_ids_after(file: File, unwritten: Sequence[bytes], after: int) -> dict[str, int]:
    """See `id_scan.read_ids`."""
    ids = read_ids(file, after)
    for entry in _entries(unwritten):
        if entry.seq > after and entry.line is not None:
            read_id(entry.line, ids)
    return ids


def _entries(unwritten: Sequence[bytes]) -> Iterator[Entry]:
    if unwritten:
        for seq, line in enumerate(unwritten, first_seq(unwritten)):
            yield Entry(seq, line, claimed(line))
