"""How many connections an address may have open, and may open in a minute."""

from __future__ import annotations

_MINUTE = 60.0
_SWEEP = 4_096  # addresses kept before those that count for nothing are forgotten


class ConnectionLimits:
    """Counts connections by address. Times in seconds of a clock that never goes back."""

    def __init__(self, most: int, most_of_one: int, most_a_minute: int) -> None:
        """0 for `most_of_one` or `most_a_minute` is no limit."""
        self._most = most
        self._most_of_one = most_of_one or most
        self._most_a_minute = most_a_minute
        self._open: dict[str, int] = {}
        self._total = 0
        self._opened: dict[str, tuple[float, int]] = {}  # a minute's start, and how many in it

    @property
    def total(self) -> int:
        """How many are open."""
        return self._total

    def enter(self, address: str | None, now: float) -> bool:
        """Whether one more may come in; then `leave` must follow. None is not counted by itself."""
        if self._total >= self._most:
            return False
        if address is not None:
            if self._open.get(address, 0) >= self._most_of_one or self._is_fast(address, now):
                return False
            self._open[address] = self._open.get(address, 0) + 1
        self._total += 1
        return True

    def leave(self, address: str | None) -> None:
        """One that came in is gone."""
        self._total -= 1
        if address is not None:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _is_fast(self, address: str, now: float) -> bool:
        if not self._most_a_minute:
            return False
        start, opened = self._opened.get(address, (now, 0))
        if now - start >= _MINUTE:
            start, opened = now, 0
        if opened >= self._most_a_minute:
            return True
        self._opened[address] = start, opened + 1
        if len(self._opened) > _SWEEP:
            self._opened = {a: s for a, s in self._opened.items() if now - s[0] < _MINUTE}
        return False
