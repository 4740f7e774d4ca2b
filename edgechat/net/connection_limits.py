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
    """Counts connections by address. Times in seconds of a clock that never goes back.

    A first visit of a room asks for some forty of the page's own files, each on a connection of
    its own. Those are counted apart, so that a class behind one address does not use up what is
    meant against floods of connections.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._total = 0
        self._all = _Count(settings.max_addresses)
        self._page = _Count(settings.max_addresses)

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
        settings = self._settings
        most, a_minute = settings.max_connections_per_address, settings.max_opened_per_minute
        self._all.add(address, now, most, a_minute)

    def move_to_page(self, address: str, now: float) -> bool:
        """One that was counted for this address asks for a file of the page: count it apart.

        False: there are too many of those, too. It stays where it was.
        """
        settings = self._settings
        most, a_minute = settings.max_connections_per_address, settings.max_files_per_minute
        try:
            self._page.add(address, now, most, a_minute)
        except Refused:
            return False
        self._all.take_back(address, now)
        return True

    def leave(self, address: str | None, *, page: bool = False) -> None:
        """One that came in is gone, and was of this address, if it was of any.

        `page`: it was moved to those that ask for the page's files.
        """
        self._total -= 1
        self.release(address, page=page)

    def release(self, address: str | None, *, page: bool = False) -> None:
        """One that came in stays, and counts for this address no longer, if it did."""
        if address is not None:
            (self._page if page else self._all).remove(address)

    def statistics(self) -> ConnectionLimitsStatistics:
        """As of now."""
        addresses = len(self._all.open.keys() | self._page.open.keys())
        return ConnectionLimitsStatistics(self._total, addresses, len(self._all.opened))


class _Count:
    """Of one kind of connection: how many an address has open, and opened in a minute."""

    def __init__(self, max_addresses: int) -> None:
        self.open: dict[str, int] = {}  # no longer than there are connections
        # A minute's start, and how many were opened in it.
        self.opened: AddressTable[tuple[float, int]] = AddressTable(max_addresses, _MINUTE)

    def add(self, address: str, now: float, most: int, a_minute: int) -> None:
        """One more, unless `most` are open or `a_minute` were opened (0 is no limit)."""
        if most and self.open.get(address, 0) >= most:
            raise Refused(TOO_MANY)
        if a_minute and not self._opens(address, now, a_minute):
            raise Refused(TOO_FAST)
        self.open[address] = self.open.get(address, 0) + 1

    def remove(self, address: str) -> None:
        self.open[address] -= 1
        if not self.open[address]:
            del self.open[address]

    def take_back(self, address: str, now: float) -> None:
        """As if it had not been added."""
        self.remove(address)
        if (known := self.opened.get(address, now)) is not None:
            start, opened = known
            self.opened.put(address, (start, max(0, opened - 1)), now)

    def _opens(self, address: str, now: float, a_minute: int) -> bool:
        start, opened = self.opened.get(address, now) or (now, 0)
        if now - start >= _MINUTE:
            start, opened = now, 0
        if opened >= a_minute:
            return False
        self.opened.put(address, (start, opened + 1), now)
        return True
