"""What addresses spend in all workers together: the front adds it up.

A worker answers by what it knows, and says some time later what was spent there. The front counts
that as one process would have, and says to all workers in which the address has spent when its
allowance is full again. So the rate over a while is exact, and the most that an address can gain
is one burst in each worker, once, until all have been told: then it is silent until that is paid.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgechat.chat.allowance import Allowance
from edgechat.settings import Settings

_TIDY = 1.0  # seconds from one look for what may be forgotten to the next


class _Account:
    """Of one address: its allowance, and the workers that know of it."""

    __slots__ = ("allowance", "workers")

    def __init__(self, settings: Settings) -> None:
        self.allowance = Allowance(settings.message_interval, settings.message_grace)
        self.workers: set[int] = set()


class Ledger:
    """The front's. Times in seconds of a clock that never goes back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._accounts: dict[str, _Account] = {}
        self._tidied_at = float("-inf")

    def __len__(self) -> int:
        """How many addresses it knows of: those that have spent, and are not yet full again."""
        return len(self._accounts)

    def change(self, settings: Settings) -> None:
        """Another rule holds from now on; what was spent stays spent."""
        self._settings = settings
        for account in self._accounts.values():
            account.allowance.change(settings.message_interval, settings.message_grace)

    def settle(
        self, worker: int, spent: Mapping[str, int], now: float
    ) -> Mapping[int, Mapping[str, float]]:
        """A worker says what was spent there; returns whom to tell, and what.

        That is, by worker, when addresses' allowances are full again. A worker in which alone an
        address spends knows that itself.
        """
        self._tidy(now)
        told: dict[int, dict[str, float]] = {}
        for address, messages in spent.items():
            account = self._accounts.get(address)
            if account is None:
                account = self._accounts[address] = _Account(self._settings)
                account.workers.add(worker)
            account.allowance.charge(messages, now)
            if account.workers != {worker}:
                account.workers.add(worker)
                for each in account.workers:
                    told.setdefault(each, {})[address] = account.allowance.full_at
        return told

    def forget(self, worker: int) -> None:
        """That worker has ended, and the next one with its number knows nothing."""
        for account in self._accounts.values():
            account.workers.discard(worker)

    def _tidy(self, now: float) -> None:
        """Forget who is as good as new; to whoever spends then again it makes no difference."""
        if now - self._tidied_at >= _TIDY:
            self._tidied_at = now
            for address in [a for a, one in self._accounts.items() if one.allowance.is_idle(now)]:
                del self._accounts[address]
