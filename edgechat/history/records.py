r"""A history's records, by their own frames.

A record begins with `{"seq":N,` and ends with `,"h":"<16 hex digits>"}`. JSON escapes quotation
marks, so no message looks like either. The server writes a newline between two of them; editors,
other systems and accidents write CRLF, CR, blanks, zeros, or nothing. As a record has no newline
and no CR in it (they are `\n` and `\r` there), those are never a part of one, wherever they stand.

Memory is bounded, whatever a file has in it: a line that is too long comes in parts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import msgspec

from edgechat import system
from edgechat.chat.line import Damaged, Record, Token, chain, claimed, ends_with, parse_line

BLOCK = 64 * 1024
BLANK = b" \t\r\n\v\f\0\xef\xbb\xbf"  # between records: no damage (the last three: a BOM)

OPENS = b'{"seq":'
_ENDS = b',"h":"'
# A header's base (`{"seq":0,"h":"…"}`) is no record.
START = re.compile(rb'\{"seq":([0-9]{1,18}),(?!"h":")')
HEADER = re.compile(rb'\{"edgechat":[^\n]{,2000}?\}\}')
END = re.compile(rb',"h":"[0-9a-f]{16}"\}')
_CUT = re.compile(
    rb'(\{"edgechat":[^\n]{,2000}?\}\})'
    rb'|\{"seq":(?![0-9]{1,18},"h":")'
    rb'|,"h":"[0-9a-f]{16}"\}'
)
LONGEST_START = 40  # bytes that `START` looks at, or more
_LONG = 4 * BLOCK
# Of one record: the longest message that a server may be told to take is 100,000 characters of at
# most four bytes.
_MOST = 1024 * 1024
_KEPT = 32  # bytes of what can't be a record: the `h` at its end may still be read
_MARK = b"\0?"  # before them, so that they are not taken for a record
_ZEROS = bytes(BLOCK)


class File(msgspec.Struct, frozen=True):
    """An open history file, as far as it is to be read: whole lines only."""

    fd: int
    start: int  # of the first line after the header
    end: int
    base: Token | None  # None where the header is damaged


def lines(file: File, start: int) -> Iterator[bytes]:
    """The lines from `start`, which must be the start of one; without newlines.

    A line longer than a record comes in parts, and no record lies across two of them. What of it
    can't be a record is shortened.
    """
    rest = b""
    while start < file.end:
        block = system.pread(file.fd, min(BLOCK, file.end - start), start)
        if not block:
            break
        start += len(block)
        if block == _ZEROS:  # a hole
            if rest:
                yield rest
            rest = b""
            continue
        if OPENS not in block and _ENDS not in block:
            block = _unbroken(block)
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
        if len(rest) > _LONG:
            part, rest = _take(rest)
            if part:
                yield part
    if rest:
        yield rest


def _unbroken(block: bytes) -> bytes:
    """Many short lines of rubbish are one, and cost no time for each."""
    first, newline, more = block.partition(b"\n")
    middle, last_newline, last = more.rpartition(b"\n")
    return b"".join((first, newline, middle.replace(b"\n", b""), last_newline, last))


def _take(rest: bytes) -> tuple[bytes, bytes]:
    """Of a line that is long already: what can be read now, and what is to be read on."""
    cut = rest.rfind(OPENS)
    if cut >= 0 and not START.match(rest, cut) and len(rest) - cut > LONGEST_START:
        cut = rest.rfind(OPENS, 0, cut)  # that was a header's base
    if cut > 0:
        return rest[:cut], rest[cut:]
    if cut == 0 and len(rest) <= _MOST:
        return b"", rest
    if end := END.search(rest):
        return rest[: end.end()], rest[end.end() :]
    return b"", _MARK + rest[-_KEPT:] if rest.strip(BLANK) else b""


def is_record(line: bytes) -> bool:
    """Whether a line is framed as a record is, and nothing else is in it."""
    return line.rfind(OPENS) == 0 and claimed(line) is not None


def follows(line: bytes, seq: int, h: bytes) -> bool:
    """Whether a line goes on from line `seq`, whose chain hash is `h`."""
    return line.startswith(b'{"seq":%d,' % (seq + 1)) and ends_with(line, chain(h, line))


def parse(line: bytes) -> Record | None:
    """What a line says; None where it is damaged."""
    try:
        return parse_line(line)
    except Damaged:
        return None


def split(line: bytes) -> list[bytes]:
    """A line's records, and what else is in it but for blanks and headers."""
    if b"\r" in line:
        line = line.replace(b"\r", b"")
    pieces: list[bytes] = []
    at = 0
    for cut in _CUT.finditer(line):
        begins = cut[0].startswith(b"{")
        pieces.append(line[at : cut.start() if begins else cut.end()])
        at = cut.end() if cut[1] or not begins else cut.start()
    pieces.append(line[at:])
    return [piece for piece in pieces if piece.strip(BLANK)]


Waiting = deque[tuple[bytes, bool]]  # pieces, and whether each is a line by itself


def pieces(line: bytes, rest: Iterator[bytes]) -> Iterator[tuple[bytes, bool, Waiting]]:
    """What a line that is not simply good has in it.

    Yields each piece, whether it is a line by itself, and what waits behind it. A record that was
    broken into lines is put together again, of lines out of `rest`. What else is taken from there
    to see what follows is yielded too.
    """
    waiting: Waiting = deque()
    _queue(line, waiting)
    while waiting:
        piece, is_line = waiting.popleft()
        if piece.startswith(OPENS) and claimed(piece) is None:
            piece, is_line = _close(piece, waiting, rest), False
        yield piece, is_line, waiting


def look_ahead(waiting: Waiting, rest: Iterator[bytes]) -> bytes | None:
    """What follows, of what is waiting or else of `rest`; None at the end of the file."""
    while not waiting:
        if (line := next(rest, None)) is None:
            return None
        _queue(line, waiting)
    return waiting[0][0]


def _queue(line: bytes, waiting: Waiting) -> None:
    found = split(line)
    is_line = found == [line]
    waiting.extend((piece, is_line) for piece in found)


def _close(piece: bytes, waiting: Waiting, rest: Iterator[bytes]) -> bytes:
    """A record that was broken into lines, as far as it goes on."""
    parts, size = [piece], len(piece)
    while size < _MOST:
        following = look_ahead(waiting, rest)
        if following is None or following.startswith(OPENS):
            break
        parts.append(waiting.popleft()[0])
        size += len(following)
        if claimed(following) is not None:
            break
    return b"".join(parts)
