"""Defects of the server itself: each is contained where it happens, logged and counted.

A defect in one connection ends that connection, one in a room ends that room. The traceback goes
to the log; a client is told that there was a defect, and no more.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

log = logging.getLogger(__name__)

_counts: Counter[str] = Counter()  # of this process, since its start


@contextmanager
def contain(what: str) -> Iterator[None]:
    """Whatever goes wrong in the block ends the block; the log says that it ended `what`.

    A defect may come together with a cancellation. That goes on, and the defect does not.
    """
    try:
        yield
    except Exception as defect:
        note_defect(what, defect)
    except BaseExceptionGroup as group:
        defects, cancelled = group.split(Exception)
        if defects is not None:
            note_defect(what, defects)
        if cancelled is not None:
            raise cancelled from None


def note_defect(what: str, defect: Exception) -> None:
    """Log and count a defect that was caught by other means than `contain`."""
    _counts[what] += 1
    log.error("A defect ended %s.", what, exc_info=defect)


def statistics() -> Mapping[str, int]:
    """How many defects there were since the process started, by what they ended."""
    return dict(_counts)
