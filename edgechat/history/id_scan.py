"""Reads the idempotency keys of a history's newest lines."""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

from edgechat.history.records import OPENS, START, File, lines, pieces
from edgechat.history.search import find

_ID_CHARS = 2 * 64 + len(b',"id":""')  # at most, escaped
_TAIL = len(b',"h":"0123456789abcdef"}')
_ID = re.compile(rb',"id":("(?:[^"\\]|\\.)*")\Z')


def read_ids(file: File, after: int) -> dict[str, int]:
    """The idempotency keys of the lines after `after`, in order, each with its line's `seq`."""
    ids: dict[str, int] = {}
    rest = lines(file, find(file, after))
    for line in rest:
        if line.rfind(OPENS) or not line.endswith(b'"}'):  # not just one record
            for piece, _, _ in pieces(line, rest):
                read_id(piece, ids)
        else:
            read_id(line, ids)
    return ids


def read_id(line: bytes, ids: dict[str, int]) -> None:
    """Add the idempotency key of one line, if it has one."""
    found = _ID.search(line[-_ID_CHARS - _TAIL : -_TAIL])
    if found and (seq := START.match(line)):
        with suppress(msgspec.DecodeError, UnicodeError):  # of a damaged line
            ids[msgspec.json.decode(found[1], type=str)] = int(seq[1])
