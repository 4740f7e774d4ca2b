"""How many connections an address may have open, and may open in a minute."""

from __future__ import annotations

from dataclasses import dataclass

from edgechat.net.address_table import AddressTable
from edgechat.net.refused import FULL, TOO_FAST, TOO_MANY, Refused
from edgechat.settings import Settings

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ConnectionLimitsStatistics:
    """How many connections are open, from how many addresses, and how many are remembered."""

    open: int
    addresses: int
    remembered: int


class ConnectionLimits:
    """Counts connections by address. Times in seconds of a clock that never goes back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, int] = {}  # no longer than there are connections
        self._total = 0
        # A minute's start, and how many connections were opened in it.
        self._opened: AddressTable[tuple[float, int]]
        self._opened = AddressTable(settings.max_addresses, _MINUTE)

    def change(self, settings: Settings) -> None:
        """Other limits hold from now on. Whoever is in stays in."""
        self._settings = settings

    def enter(self, address: str | None, now: float) -> None:
        """Let one more in, or raise `Refused`. None is not counted by itself, or not yet.

        If it came in, `leave` must follow.
        """
        if self._total >= self._settings.max_connections:
            raise Refused(FULL)
        if address is not None:
            self.claim(address, now)
        self._total += 1

    def claim(self, address: str, now: float) -> None:
        """One that came in counts for this address; raises `Refused` where it can't."""
        most = self._settings.max_connections_per_address
        if most and self._open.get(address, 0) >= most:
            raise Refused(TOO_MANY)
        if self._is_fast(address, now):
            raise Refused(TOO_FAST)
        self._open[address] = self._open.get(address, 0) + 1

    def leave(self, address: str | None) -> None:
        """One that came in is gone, and was of this address, if it was of any."""
        self._total -= 1
        if address is not None:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def statistics(self) -> ConnectionLimitsStatistics:
        """As of now."""
        return ConnectionLimitsStatistics(self._total, len(self._open), len(self._opened))

    def _is_fast(self, address: str, now: float) -> bool:
        most = self._settings.max_opened_per_minute
        if not most:
            return False
        start, opened = self._opened.get(address, now) or (now, 0)
        if now - start >= _MINUTE:
            start, opened = now, 0
        if opened >= most:
            return True
        self._opened.put(address, (start, opened + 1), now)
        return False
