"""Finds places in a history file. There is no index: `seq` rises from line to line."""

from __future__ import annotations

from edgechat import system
from edgechat.history.records import BLOCK, LONGEST_START, OPENS, START, File


def find(file: File, seq: int) -> int:
    """The start of a line at or before line `seq`, and not far before it."""
    low, high = file.start, file.end
    while high - low > BLOCK:
        middle = (low + high) // 2
        found = _pair(file, middle, high)
        if found is not None and found[1] <= seq:
            low = found[0]
        else:
            high = middle
    return low


def _pair(file: File, at: int, end: int) -> tuple[int, int] | None:
    """The first line that starts between `at` and `end` and is followed by the one that should be.

    Returns its place and its `seq`. One line alone is not believed: its `seq` may be damaged. What
    is no line is read over.
    """
    place, seq = -1, -1
    while at < file.end and (place >= 0 or at < end):
        block = system.pread(file.fd, min(BLOCK, file.end - at), at)
        for found in START.finditer(block):
            if int(found[1]) == seq + 1 and place >= 0:
                return place, seq
            if at + found.start() >= end:
                return None
            place, seq = at + found.start(), int(found[1])
        if len(block) <= LONGEST_START:
            return None
        at += len(block) - LONGEST_START
    return None


def first_start(file: File, at: int) -> int | None:
    """Where the first record begins that begins at `at` or after it; None where there is none."""
    while at < file.end:
        block = system.pread(file.fd, min(BLOCK, file.end - at), at)
        if found := START.search(block):
            return at + found.start()
        if len(block) <= LONGEST_START:
            return None
        at += len(block) - (LONGEST_START if at + len(block) < file.end else 0)
    return None


def last_start(file: File) -> int | None:
    """Where the last record begins; None where there is none."""
    end = file.end
    while end > file.start:
        at = max(file.start, end - BLOCK)
        block = system.pread(file.fd, min(end - at + LONGEST_START, file.end - at), at)
        cut = len(block)
        while (cut := block.rfind(OPENS, 0, cut)) >= 0:
            if START.match(block, cut):
                return at + cut
        end = at
    return None
