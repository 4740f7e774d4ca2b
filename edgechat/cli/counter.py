"""Shows how far a work of unknown length is: on a terminal, and nowhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_EVERY = 0.1  # seconds


class Counter:
    """`1,234 lines sent`, on one line of standard error that is written over."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._count = 0
        self._shown_at = 0.0
        self._is_shown = sys.stderr.isatty() and not sys.stdin.isatty()

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self._count += count
        if self._is_shown and time.monotonic() >= self._shown_at + _EVERY:
            self._show()

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        sys.stderr.write(f"\r{self._count:,} {self._words}")
        sys.stderr.flush()

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self._show()
            sys.stderr.write("\n")
