"""Whether a history's lines stand in order: all reading relies on it, and so do new numbers.

A file that was sorted as text, turned round, or put together of two may end with line 9 while it
holds line 1,000. A room that went on there would give numbers twice.
"""

from __future__ import annotations

from edgechat import system
from edgechat.history.chain_reader import ChainReader
from edgechat.history.reader import all_entries
from edgechat.history.records import START, File

_PROBES = 9
_PROBED = 4_096  # bytes; of long lines less than two may be in them, which says nothing
_FEW = 3  # lines in the wrong place are an editor's accident: they are lost, and the room goes on
_EARLY = 64  # lines that may be damaged at the beginning before all of the file is read


def refusal(file: File, tail: ChainReader) -> str:
    """Why no room may go on with this file, whose end was read by `tail`; empty where it may.

    In a few small reads; only a file that is odd is read whole.
    """
    if tail.misplaced > _FEW:
        return disorder(tail)
    if _rises(file, tail.seq):
        return ""
    seq, h = file.base or (0, None)
    whole = ChainReader(seq, bytes.fromhex(h) if h else None, newest=0)
    for _ in all_entries(file, whole):
        pass
    if whole.seq > tail.seq:
        return f"it holds line {whole.seq}, and ends with line {tail.seq}"
    return disorder(whole)


def disorder(reader: ChainReader) -> str:
    """What is wrong with the order of the lines that were read; empty where nothing is."""
    if reader.misplaced <= _FEW:
        return ""
    return f"its lines are not in order ({reader.misplaced} are not where they belong)"


def _rises(file: File, head: int) -> bool:
    """Whether `seq` rises from place to place."""
    base = file.base.seq if file.base else None
    last = 0
    for number in range(_PROBES):
        at = file.start + (file.end - file.start) * number // _PROBES
        seq = _pair(system.pread(file.fd, _PROBED, at))
        if seq is None:
            continue
        if not last <= seq <= head or (not number and base is not None and seq > base + _EARLY):
            return False
        last = seq
    return True


def _pair(block: bytes) -> int | None:
    """The first line of two that follow each other. One alone is not believed."""
    seq = -1
    for found in START.finditer(block):
        if int(found[1]) == seq + 1:
            return seq
        seq = int(found[1])
    return None
