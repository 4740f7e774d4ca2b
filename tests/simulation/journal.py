"""What the server logs: a traceback is a defect, whatever it did to the promises."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOGGER = logging.getLogger("edgechat")


class _Journal(logging.Handler):
    def __init__(self, note: Callable[[str], None], fail: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note
        self._fail = fail

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._fail(logging.Formatter().format(record))
        else:
            self._note(f"log: {record.getMessage()}")


@contextmanager
def watching_logs(note: Callable[[str], None], fail: Callable[[str], None]) -> Iterator[None]:
    """Nothing is printed meanwhile."""
    journal = _Journal(note, fail)
    propagate, _LOGGER.propagate = _LOGGER.propagate, False
    _LOGGER.addHandler(journal)
    try:
        yield
    finally:
        _LOGGER.removeHandler(journal)
        _LOGGER.propagate = propagate
