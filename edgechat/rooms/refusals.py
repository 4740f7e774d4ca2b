"""How many refusals there were, by code: of messages, names and frames, however they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from edgechat.chat.errors import REFUSALS, Code

_counts: Counter[Code] = Counter(dict.fromkeys(REFUSALS, 0))  # of this process, since its start


def note_refusal(code: Code) -> None:
    """Count one."""
    _counts[code] += 1


def statistics() -> Mapping[Code, int]:
    """How many there were since the process started; every code is there."""
    return dict(_counts)
