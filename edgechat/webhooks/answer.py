"""What an answer of a target means, and when to try again: a rule without clocks."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

_FIRST_WAIT = 1.0  # seconds, and then twice as long each time
_DOUBLINGS = 20  # more than any limit needs: 2 to a large power is no float


class Fate(Enum):
    """What becomes of a line that was posted."""

    DELIVERED = auto()
    GONE = auto()  # the target wants no more, ever
    REFUSED = auto()  # by an answer that will hardly change by itself
    FAILED = auto()  # no answer, garbage, or the target's own trouble


class Answer(NamedTuple):
    """What came back, and words for the log."""

    fate: Fate
    words: str


class Patience(NamedTuple):
    """How long to try. Seconds."""

    longest_wait: float  # between two tries
    tries: int  # of a line that is refused, until it is held
    held_wait: float  # between two tries of a line that is held


def of_status(status: int) -> Answer:
    """The meaning of an HTTP status. Redirects are not followed: nobody chose where they lead."""
    words = f"it answered {status}"
    if 200 <= status < 300:
        return Answer(Fate.DELIVERED, words)
    if status == 410:
        return Answer(Fate.GONE, words)
    if 300 <= status < 400:
        return Answer(Fate.REFUSED, f"{words}, and redirects are not followed")
    return Answer(Fate.REFUSED if 400 <= status < 500 else Fate.FAILED, words)


def is_held(answer: Answer, tries: int, patience: Patience) -> bool:
    """Whether a line that was tried so often now waits for somebody to look at it."""
    return answer.fate is Fate.REFUSED and tries >= patience.tries


def wait_after(answer: Answer, tries: int, patience: Patience) -> float:
    """Seconds until the next try, after so many that did not deliver."""
    if is_held(answer, tries, patience):
        return patience.held_wait
    return min(_FIRST_WAIT * 2.0 ** min(tries - 1, _DOUBLINGS), patience.longest_wait)
