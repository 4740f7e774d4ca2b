"""An independent reader of history files: follows `seq` and `h` from the header to the last line.

Written from the description of the format, not from EdgeChat's code.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

HASH = re.compile(rb',"h":"([0-9a-f]{16})"\}$')


class ChainError(ValueError):
    """The file is not what it claims to be."""


@dataclass(frozen=True)
class Line:
    """A message as stored."""

    seq: int
    h: str
    name: str
    id: str | None


@dataclass(frozen=True)
class History:
    """All lines of a file, and whether its last line was torn off."""

    lines: list[Line]
    torn: bool

    def tokens(self) -> list[tuple[int, str]]:
        """(seq, h) of each line."""
        return [(line.seq, line.h) for line in self.lines]


def short_hash(data: bytes) -> bytes:
    """Unkeyed BLAKE2b of eight bytes."""
    return blake2b(data, digest_size=8).digest()


def following(previous: bytes, line: bytes) -> bytes:
    """The `h` of a line, raw, from that of the line before."""
    bare = HASH.sub(b"}", line)
    return short_hash(previous + short_hash(bare))


def read(path: Path) -> History:
    """Read a history file and check every line of it. Raises ChainError."""
    whole, newline, tail = path.read_bytes().rpartition(b"\n")
    if not newline:
        raise ChainError("not one whole line")
    header, *stored = whole.split(b"\n")
    base = json.loads(header)["base"]
    seq, h = int(base["seq"]), bytes.fromhex(base["h"])
    lines = []
    for text in stored:
        seq, h = seq + 1, following(h, text)
        lines.append(checked(text, seq, h.hex()))
    return History(lines, bool(tail))


def checked(text: bytes, seq: int, h: str) -> Line:
    """A line, if it has this `seq` and this `h`."""
    record = json.loads(text)
    if record["seq"] != seq:
        raise ChainError(f"seq {record['seq']} where {seq} should stand")
    if record["h"] != h:
        raise ChainError(f"line {seq}: h is {record['h']}, not {h}")
    return Line(seq, h, record["name"], record.get("id"))
