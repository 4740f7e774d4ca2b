"""How many refusals there were, by code: of messages, names and frames, however they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edgechat.chat.errors import REFUSALS, Code, Refusal

_counts: Counter[Code] = Counter(dict.fromkeys(REFUSALS, 0))  # of this process, since its start


def note_refusal(code: Code) -> None:
    """Count one."""
    _counts[code] += 1


@contextmanager
def noting_refusals() -> Iterator[None]:
    """Count the one that is raised in here, and let it go on."""
    try:
        yield
    except Refusal as refusal:
        note_refusal(refusal.code)
        raise


def statistics() -> Mapping[Code, int]:
    """How many there were since the process started; every code is there."""
    return dict(_counts)
