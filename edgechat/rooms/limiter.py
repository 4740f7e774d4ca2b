"""An address's allowances, over all rooms: for messages, and for looks into histories.

The task stores nothing and expires when idle.
"""

from __future__ import annotations

from typing import Protocol

import trio

from edgechat.chat.allowance import Allowance
from edgechat.rooms.registry import Full, Registry
from edgechat.settings import Settings

# What may follow a message: an IPv4 address, or the /64 of an IPv6 one.
Address = str


class Limiter:
    """One address's allowances, for as long as forgetting them would make a difference."""

    def __init__(self, settings: Settings) -> None:
        self.allowance = Allowance(settings.message_interval, settings.message_grace)
        rate, burst = settings.history_rate, settings.history_burst
        self.reading = Allowance(1 / rate, burst / rate) if rate else Allowance(0.0, 0.0)
        self._idle = settings.limiter_idle
        self._used_at = trio.current_time()
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Wait until nobody has used it for `idle` seconds."""
        with self._scope:
            while not self._is_over():  # noqa: ASYNC110 - spending must cost no wake-up
                await trio.sleep_until(self._expiry())

    def spend(self, now: float) -> float:
        """Take one message's worth: 0.0, or the seconds to wait."""
        self._used_at = now
        return self.allowance.spend(now)

    def read(self, now: float) -> float:
        """Take one look into a history: 0.0, or the seconds to wait."""
        self._used_at = now
        return self.reading.spend(now)

    def reserve_read(self, now: float) -> float:
        """Take one look into a history in any case; returns the seconds until its turn."""
        self._used_at = now
        return self.reading.reserve(now)

    def learn(self, full_at: float) -> None:
        """It is full again at that time, or later: others spend of it too."""
        self.allowance.full_at = max(self.allowance.full_at, full_at)

    def is_idle(self) -> bool:
        """Whether a fresh one would give the same answers."""
        now = trio.current_time()
        return self.allowance.is_idle(now) and self.reading.is_idle(now)

    def stop(self) -> None:
        """End now."""
        self._scope.cancel()

    def _is_over(self) -> bool:
        return self._expiry() <= trio.current_time()

    def _expiry(self) -> float:
        return max(self._used_at + self._idle, self.allowance.full_at, self.reading.full_at)


class AddressAllowance:
    """What a session holds of its address's allowances: it starts the limiter only to spend."""

    __slots__ = ("_address", "_limiters")

    def __init__(self, limiters: Registry[Address, Limiter], address: Address) -> None:
        self._limiters = limiters
        self._address = address

    def spend(self, now: float) -> float:
        """Take one message's worth: 0.0, or the seconds to wait."""
        try:
            return self._limiters.get(self._address).spend(now)
        except Full:
            return 1.0  # nobody is idle among very many: all wait a little

    def refund(self) -> None:
        """Give back what the last `spend` took."""
        limiter = self._limiters.find(self._address)
        if limiter is not None:
            limiter.allowance.refund()

    def read(self, now: float) -> float:
        """Take one look into a history: 0.0, or the seconds to wait."""
        try:
            return self._limiters.get(self._address).read(now)
        except Full:
            return 1.0

    def reserve_read(self, now: float) -> float:
        """Take one look into a history in any case; returns the seconds until its turn."""
        try:
            return self._limiters.get(self._address).reserve_read(now)
        except Full:
            return 1.0


class Ledger(Protocol):
    """Where several processes say what addresses spend in each."""

    def spent(self, address: Address, messages: int) -> None:
        """So many messages here; -1 is one that is given back. Never waits."""


class SharedAllowance(AddressAllowance):
    """The same where other processes spend of it as well.

    It answers by what is known here, at once: a question to another process would take longer than
    the message. What is spent is told to the ledger, which tells all what was spent in all.
    """

    __slots__ = ("_ledger",)

    def __init__(
        self, limiters: Registry[Address, Limiter], address: Address, ledger: Ledger
    ) -> None:
        super().__init__(limiters, address)
        self._ledger = ledger

    def spend(self, now: float) -> float:
        """Take one message's worth: 0.0, or the seconds to wait."""
        wait = super().spend(now)
        if not wait:
            self._ledger.spent(self._address, 1)
        return wait

    def refund(self) -> None:
        """Give back what the last `spend` took."""
        super().refund()
        self._ledger.spent(self._address, -1)


class ReadingAllowance(AddressAllowance):
    """Where messages are not limited: what an address reads is."""

    __slots__ = ()

    def spend(self, now: float) -> float:
        """Costs nothing."""
        return 0.0

    def refund(self) -> None:
        """Nothing was taken."""


class Unlimited:
    """The allowance of all when neither is limited."""

    def spend(self, now: float) -> float:
        """Costs nothing."""
        return 0.0

    def read(self, now: float) -> float:
        """Costs nothing."""
        return 0.0

    def reserve_read(self, now: float) -> float:
        """Costs nothing."""
        return 0.0

    def refund(self) -> None:
        """Nothing was taken."""
