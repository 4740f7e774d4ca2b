"""The allowances of all addresses, by the rule that the settings give."""

from __future__ import annotations

import trio

from edgechat.chat.allowance import Spendable
from edgechat.rooms.limiter import (
    Address,
    AddressAllowance,
    Ledger,
    Limiter,
    ReadingAllowance,
    SharedAllowance,
    Unlimited,
)
from edgechat.rooms.registry import Registry, RegistryStatistics
from edgechat.settings import Settings

_UNLIMITED = Unlimited()


class Allowances:
    """Gives each address its allowance; a limiter is started when it is first spent."""

    def __init__(
        self, nursery: trio.Nursery, settings: Settings, ledger: Ledger | None = None
    ) -> None:
        """`nursery` runs the limiters. `ledger` is told what is spent, if others spend too."""
        self._settings = settings
        self._ledger = ledger
        self._limiters: Registry[Address, Limiter] = Registry(
            nursery, self._make, settings.max_limiters, "limiter"
        )

    @property
    def interval(self) -> float:
        """Seconds of an allowance that a message takes now; 0: messages are not limited."""
        return self._settings.message_interval

    def of(self, address: Address) -> Spendable:
        """What a connection from there may spend, over all rooms."""
        if self._settings.message_interval and self._ledger is not None:
            return SharedAllowance(self._limiters, address, self._ledger)
        if self._settings.message_interval:
            return AddressAllowance(self._limiters, address)
        if self._settings.history_rate:
            return ReadingAllowance(self._limiters, address)
        return _UNLIMITED

    def learn(self, address: Address, full_at: float) -> None:
        """By what was spent elsewhere too, an allowance is full again then, or later.

        `full_at` is in seconds of Trio's clock. Who has not spent here is told when it does.
        """
        limiter = self._limiters.find(address)
        if limiter is not None:
            limiter.learn(full_at)

    def change_limits(self, settings: Settings) -> None:
        """Another rule holds from now on; where there was none, for new connections."""
        self._settings = settings
        for limiter in self._limiters:
            limiter.allowance.change(settings.message_interval, settings.message_grace)

    def statistics(self) -> RegistryStatistics:
        """How many limiters there are and were."""
        return self._limiters.statistics()

    def _make(self, address: Address) -> Limiter:
        return Limiter(self._settings)
