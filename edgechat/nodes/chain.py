"""Lines as the engine has them: text with newlines, each chained to the one before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgechat.chat.line import (
    Damaged,
    Entry,
    StoredLine,
    Token,
    chain,
    claimed,
    ends_with,
    parse_line,
)
from edgechat.nodes.errors import Forked

_SEQ = re.compile(rb'\{"seq":([0-9]{1,18}),')


class Point(NamedTuple):
    """Behind a line, by its `seq` and its raw `h`."""

    seq: int
    h: bytes

    @property
    def hex(self) -> str:
        """The `h` as it is written."""
        return self.h.hex()

    @property
    def token(self) -> Token:
        """As clients know it."""
        return Token(self.seq, self.h.hex())


def point_of(token: Token) -> Point:
    """The place that a token names."""
    return Point(token.seq, bytes.fromhex(token.h))


def place_after(line: StoredLine) -> Point:
    """The place behind a line."""
    return Point(line.seq, line.h)


def split(data: bytes) -> list[bytes]:
    """The lines of an entry."""
    return data.split(b"\n")[:-1] if data.endswith(b"\n") else data.split(b"\n")


def join(lines: Sequence[bytes]) -> bytes:
    """An entry of these lines, as a piece of a history file."""
    return b"\n".join(lines) + b"\n" if lines else b""


def first_seq(lines: Sequence[bytes]) -> int:
    """The `seq` of the first of these lines. Raises `Forked` where it has none."""
    found = _SEQ.match(lines[0]) if lines else None
    if found is None:
        raise Forked("a line in the engine is none")
    return int(found[1])


def beyond(place: Point, lines: Sequence[bytes]) -> Sequence[bytes]:
    """Those of consecutive lines that are after `place`. Raises `Forked`."""
    return lines[max(0, place.seq + 1 - first_seq(lines)) :] if lines else ()


def follow(place: Point, lines: Iterable[bytes]) -> list[StoredLine]:
    """These lines, checked: they go on from `place`, one from the other. Raises `Forked`."""
    seq, h = place
    checked: list[StoredLine] = []
    for line in lines:
        seq, h = seq + 1, chain(h, line)
        if not line.startswith(b'{"seq":%d,' % seq) or not ends_with(line, h):
            raise Forked(f"line {seq} does not go on from the one before it")
        try:
            stamp = parse_line(line).timestamp
        except Damaged:
            raise Forked(f"line {seq} can't be read") from None
        checked.append(StoredLine(seq, h, stamp, line))
    return checked


def whole(entries: Iterable[Entry]) -> list[bytes]:
    """The lines of consecutive entries, up to the first that is damaged."""
    lines: list[bytes] = []
    for entry in entries:
        if entry.line is None:
            break
        lines.append(entry.line)
    return lines


def with_h(entry: Entry) -> Entry:
    """A line with its `h`, which nobody needs of most."""
    seq, line, h = entry
    return entry if h is not None else Entry(seq, line, claimed(line or b""))
