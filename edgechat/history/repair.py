"""What a start finds in a history file, and does about its end. Synchronous: for a worker thread.

The last line may be torn, as its writing was cut short. It is cut off, or completed where only
its newline is missing. Nothing else in the file is ever changed.
"""

from __future__ import annotations

from edgechat import system
from edgechat.chat.line import (
    DIGEST_BYTES,
    NOWHERE,
    Damaged,
    Entry,
    Token,
    chain,
    claimed,
    parse_line,
)
from edgechat.chat.state import Opened
from edgechat.history.reader import File, read_header, read_tail

_BLOCK = 64 * 1024


def find_end(fd: int) -> int:
    """Where the last whole line ends: behind the last newline, 0 if there is none."""
    end = system.fstat(fd).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        newline = system.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def open_file(fd: int) -> File:
    """An open history, as far as it has whole lines. It has none if `end` is 0."""
    header, start = read_header(fd)
    end = max(find_end(fd), start)
    return File(fd, start, end, header.token if header else None)


def mend(fd: int) -> str:
    """Cut off or complete a torn last line. Returns what was done, for the log; mostly nothing."""
    size = system.fstat(fd).st_size
    file = open_file(fd)
    torn = size - file.end
    if not torn:
        return ""
    if file.start and torn <= _BLOCK:
        piece = system.pread(fd, torn, file.end)
        reader, _ = read_tail(file, _BLOCK)
        for whole in (piece, piece[:-1]):  # its newline was not written, or is damaged
            if reader.h is not None and chain(reader.h, whole) == claimed(whole):
                system.ftruncate(fd, file.end + len(whole))
                system.pwrite(fd, b"\n", file.end + len(whole))
                return "a last line that lacked only its newline was completed"
    system.ftruncate(fd, file.end)
    return f"a torn last line of {torn} bytes was cut off"


def open_history(file: File, most_lines: int, most_bytes: int) -> Opened:
    """A file's head and its newest lines."""
    reader, entries = read_tail(file, most_bytes)
    return Opened(
        base=file.base or NOWHERE,
        head=Token(reader.seq, (reader.h or bytes(DIGEST_BYTES)).hex()),
        stamp=_stamp(entries),
        exists=True,
        backlog=entries[-most_lines:],
    )


def _stamp(entries: list[Entry]) -> int:
    """The last timestamp that can be read, ms."""
    for entry in reversed(entries):
        if entry.line is not None:
            try:
                return parse_line(entry.line).timestamp
            except Damaged:
                continue
    return 0
