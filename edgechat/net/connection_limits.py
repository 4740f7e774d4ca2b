"""How many connections an address may have open, and may open in a minute."""

from __future__ import annotations

from dataclasses import dataclass

from edgechat.net.refused import FULL, TOO_FAST, TOO_MANY, Refused

_MINUTE = 60.0
_SWEEP = 4_096  # addresses kept before those that count for nothing are forgotten


@dataclass(frozen=True, slots=True)
class ConnectionLimitsStatistics:
    """How many connections are open, from how many addresses, and how many are remembered."""

    open: int
    addresses: int
    remembered: int


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

    def enter(self, address: str | None, now: float) -> None:
        """Let one more in, or raise `Refused`. None is not counted by itself.

        If it came in, `leave` must follow.
        """
        if self._total >= self._most:
            raise Refused(FULL)
        if address is not None:
            if self._open.get(address, 0) >= self._most_of_one:
                raise Refused(TOO_MANY)
            if self._is_fast(address, now):
                raise Refused(TOO_FAST)
            self._open[address] = self._open.get(address, 0) + 1
        self._total += 1

    def leave(self, address: str | None) -> None:
        """One that came in is gone."""
        self._total -= 1
        if address is not None:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def statistics(self) -> ConnectionLimitsStatistics:
        """As of now."""
        return ConnectionLimitsStatistics(self._total, len(self._open), len(self._opened))

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
