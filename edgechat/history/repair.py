"""What a start finds in a history file, and does about its end. Synchronous: for a worker thread.

The last line may be torn, as its writing was cut short. It is cut off and kept beside the file, or
completed where only its newline is missing. Nothing else in the file is ever changed. Nothing is
cut off that has a whole record in it, or is longer than one write can leave.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from edgechat import system
from edgechat.chat.errors import StorageUnavailable
from edgechat.chat.line import DIGEST_BYTES, NOWHERE, Damaged, Entry, Token, parse_line
from edgechat.chat.state import Opened
from edgechat.history import order
from edgechat.history.data_folder import sync_folder
from edgechat.history.header import read_beginning
from edgechat.history.reader import File, read_tail
from edgechat.history.records import BLOCK, END
from edgechat.history.search import last_start
from edgechat.settings import Settings

_HEADER = b'{"edgechat":'
_OVERLAP = 32  # bytes: a record's end that lies across two blocks
_ENDED = re.compile(END.pattern + rb"[ \t\r\n]*")
_UTF16 = tuple('{"seq":'.encode(code) for code in ("utf-16-le", "utf-16-be"))


def longest_write(settings: Settings) -> int:
    """Bytes that one write can leave at most: those of a whole batch."""
    return settings.batch * settings.max_frame_bytes


def find_end(fd: int) -> int:
    """Where what is whole ends: behind the last newline or record, 0 if there is none."""
    end = system.fstat(fd).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        block = system.pread(fd, end - start + _OVERLAP, start)
        if found := max(block.rfind(b"\n", 0, end - start) + 1, _last_end(block)):
            return start + found
        end = start
    return 0


def _last_end(block: bytes) -> int:
    """Where the last record ends, and the blanks behind it; 0 if none does."""
    at = len(block)
    while (at := block.rfind(b',"h":"', 0, at)) >= 0:
        if ended := _ENDED.match(block, at):
            return ended.end()
    return 0


def open_file(fd: int) -> File:
    """An open history, as far as it has whole lines. It has none if `end` is 0."""
    header, start, _ = read_beginning(fd)
    end = max(find_end(fd), start)
    return File(fd, start, end, header.token if header else None)


def mend(fd: int, path: Path, most: int) -> list[str]:
    """See to a torn last line. Returns what was done, for the log; mostly nothing.

    Cut off are at most `most` bytes. Raises `StorageUnavailable` for a file that is not to be
    written to, and `OSError`.
    """
    size = system.fstat(fd).st_size
    file = open_file(fd)
    if reason := has_utf16(fd, size):
        raise StorageUnavailable(reason)
    is_history = file.base is not None or not size or last_start(file) is not None
    if not is_history and (size > most or not is_begun(fd)):  # else it is as good as no file
        raise StorageUnavailable("it is not a history: there is no line that can be read")
    end = file.end if is_history else 0  # a torn header may look as if a record ended in it
    torn = size - end
    done: list[str] = []
    if torn > most:
        done.append(f"the last {torn} bytes can't be read, and were left: more than one write")
        _write_newline(fd, size)
    elif torn:
        keep(fd, end, size, path)
        system.ftruncate(fd, end)
        done.append(f"a torn last line of {torn} bytes was cut off (kept beside it, *.torn-*)")
    if end and torn <= most and _lacks_newline(fd, end):
        _write_newline(fd, end)
        done.append("a last line that lacked only its newline was completed")
    return done


def keep(fd: int, start: int, end: int, path: Path) -> None:
    """Copy what is to be cut off into a file of its own; no part of it where that fails."""
    copy, beside = _make_beside(path)
    try:
        while start < end:
            block = system.pread(fd, min(BLOCK, end - start), start)
            if not block:
                break
            start += system.write(copy, block)
        system.fsync(copy)
    except OSError:
        system.unlink(beside)
        raise
    finally:
        system.close(copy)
    sync_folder(path.parent)


def _make_beside(path: Path) -> tuple[int, Path]:
    flags = system.O_WRONLY | system.O_CREAT | system.O_EXCL | system.O_CLOEXEC
    now = system.now_ms()
    while True:
        beside = path.with_name(f"{path.name}.torn-{now}")
        with suppress(FileExistsError):
            return system.open(beside, flags, 0o600), beside
        now += 1


def is_begun(fd: int) -> bool:
    """Whether a file without a header or a line is what a torn first write leaves."""
    begun = system.pread(fd, BLOCK, 0).rstrip(b"\0")
    return begun.startswith(_HEADER) or _HEADER.startswith(begun)


def has_utf16(fd: int, size: int) -> str:
    """What is wrong where lines near the end are in UTF-16; empty where none are."""
    tail = system.pread(fd, BLOCK, max(0, size - BLOCK))
    found = any(opening in tail for opening in _UTF16)
    return "lines in it are in UTF-16: convert them to UTF-8" if found else ""


def _lacks_newline(fd: int, end: int) -> bool:
    """Whether a record is the very last. What stands there instead of a newline does as well."""
    return system.pread(fd, 1, end - 1) == b"}"


def _write_newline(fd: int, end: int) -> None:
    system.pwrite(fd, b"\n", end)


def open_history(file: File, most_lines: int, most_bytes: int) -> Opened:
    """A file's head and its newest lines.

    Raises `StorageUnavailable` where no room may go on with it.
    """
    reader, entries = read_tail(file, most_lines, most_bytes)
    if file.base is None and not any(entry.line for entry in entries):
        raise StorageUnavailable("it is not a history: there is no line that can be read")
    if reason := order.refusal(file, reader):
        raise StorageUnavailable(reason)
    return Opened(
        base=file.base or NOWHERE,
        head=Token(reader.seq, (reader.h or bytes(DIGEST_BYTES)).hex()),
        stamp=_stamp(entries),
        exists=True,
        backlog=entries,
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
