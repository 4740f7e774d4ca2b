"""What is stored of a room: its file, and behind that what only the journal has, as bytes.

Read by this code alone, in the form that `docs/protocol.md` gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

from .book import follows, read_line
from .disk import Disk


def stored(disk: Disk, path: str, data: Path) -> bytes:
    """A history as whoever reads it has to see it."""
    content, _, _ = disk.content(path).partition(b"\0")  # a hole, until a recovery has filled it
    text = content[: content.rfind(b"\n") + 1]
    room = Path(path).stem
    lines = list(records(journal(disk, data), room))
    if not text:
        headers = [line for line in lines if line.startswith(b'{"edgechat"')]
        text = headers[-1] + b"\n" if headers and disk.content(path) else b""
    return text + b"".join([line + b"\n" for line in _lacking(text, lines)])


def journal(disk: Disk, data: Path) -> list[bytes]:
    """The records that count in the journal's files, the oldest first."""
    folder = f"{data}/journal/"
    paths = sorted(path for path in disk.names if path.startswith(folder))
    texts = {int(Path(path).stem): disk.content(path) for path in paths}
    for text in list(texts.values()):
        for number, end in _before(text).items():
            if int(number) in texts:
                texts[int(number)] = texts[int(number)][:end]
    return [b"".join(_commits(text)) for text in texts.values()]


def _commits(text: bytes) -> Iterator[bytes]:
    """The records of each whole commit."""
    for found in re.finditer(rb"^commit ([0-9a-f]{8}) ([0-9]+)\n", text, re.MULTILINE):
        records = text[found.end() : found.end() + int(found[2])]
        if len(records) == int(found[2]) and crc32(records) == int(found[1], 16):
            yield records


def records(texts: Sequence[bytes], room: str) -> Iterator[bytes]:
    """The lines of one room."""
    place = f"public {room} ".encode()
    for text in texts:
        for record in text.split(b"\n")[:-1]:
            if record.startswith(place):
                yield record[len(place) :]


def _before(text: bytes) -> dict[str, int]:
    first, newline, _ = text.partition(b"\n")
    if not newline or not first.startswith(b"journal 1 "):
        return {}
    before: dict[str, int] = json.loads(first.split(b" ", 3)[3]).get("before", {})
    return before


def _lacking(text: bytes, lines: Sequence[bytes]) -> list[bytes]:
    """What goes on from where the file ends. A later line 5 counts, not an earlier one."""
    if not text:
        return []
    header, *whole = text.split(b"\n")[:-1]
    if whole:
        last = read_line(whole[-1]).place
    else:
        base = json.loads(header)["base"]
        last = base["seq"], base["h"]
    found: list[bytes] = []
    for raw in lines:
        if raw.startswith(b'{"edgechat"'):
            continue
        line = read_line(raw)
        if line.seq <= last[0]:
            continue
        del found[line.seq - last[0] - 1 :]
        before = read_line(found[-1]).place if found else last
        if line.seq == before[0] + 1 and follows(before[1], line):
            found.append(raw)
    return found
