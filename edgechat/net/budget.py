"""What frames may cost: beyond it nothing is read from a connection for a while.

A message pays by its allowance (`chat.allowance`). What is answered without one costs too: pings,
fragments, what is refused, what is repeated. One connection can send ten thousands of those in a
second, and all others would wait for their turn. So each is charged, to its connection and to its
address; when there is nothing left, the connection that charged last is not read from for a
moment. What it sends waits in the kernel then, and TCP tells the other side to slow down: nothing
is lost, and nobody who keeps to the budget is paused for somebody else's sake.
"""

from __future__ import annotations

from dataclasses import dataclass

import trio

from edgechat.net.address_table import AddressTable
from edgechat.settings import Settings

_ROUNDING = 1e-9  # seconds: no frame costs so little


class Bucket:
    """So many frames a second, and so many at once; the arithmetic of `chat.allowance`, in debt."""

    __slots__ = ("_full_at", "_grace", "_interval", "_longest")

    def __init__(self, rate: float, burst: float, longest: float) -> None:
        """`longest`: seconds of debt beyond which nothing is added."""
        self._interval = 1 / rate
        self._grace = burst / rate + _ROUNDING
        self._longest = longest
        self._full_at = float("-inf")

    def charge(self, frames: float, now: float) -> float:
        """Take it, whatever there is; returns the seconds until there is no debt: 0.0 for none."""
        full_at = max(now, self._full_at) + frames * self._interval
        self._full_at = min(full_at, now + self._grace + self._longest)
        return max(0.0, self._full_at - now - self._grace)


@dataclass(frozen=True, slots=True)
class BudgetStatistics:
    """How often a connection was paused, and how many addresses are remembered."""

    pauses: int
    addresses: int


class Budgets:
    """The budgets of all connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Longer than it takes to be full again: what is forgotten is as good as new.
        seconds = settings.frame_pause
        if settings.address_frame_rate:
            seconds += settings.address_frame_burst / settings.address_frame_rate
        self._buckets: AddressTable[Bucket] = AddressTable(settings.max_addresses, seconds)
        self._pauses = 0
        self._resuming = trio.Lock()  # fair: the first that waits is the first to go on

    def of(self, address: str | None) -> Budget:
        """A new connection's. None is an address that is not counted."""
        return Budget(self, address if self._settings.address_frame_rate else None)

    def statistics(self) -> BudgetStatistics:
        """As of now, and since the start."""
        return BudgetStatistics(self._pauses, len(self._buckets))

    def make_own(self) -> Bucket | None:
        """A connection's own bucket; None where there is no limit."""
        rate, burst = self._settings.frame_rate, self._settings.frame_burst
        return Bucket(rate, burst, self._settings.frame_pause) if rate else None

    def charge(self, address: str, frames: float, now: float) -> float:
        """Take it from an address's bucket; returns the seconds until there is no debt."""
        bucket = self._buckets.get(address, now)
        if bucket is None:
            settings = self._settings
            rate, burst = settings.address_frame_rate, settings.address_frame_burst
            bucket = Bucket(rate, burst, settings.frame_pause)
            self._buckets.put(address, bucket, now)
        return bucket.charge(frames, now)

    async def pause_until(self, time: float) -> None:
        """Pause a connection. Those whose pauses end together go on one after the other.

        Between two of them everybody else has a turn: what 64 may send at once takes 0.1 s.
        """
        self._pauses += 1
        await trio.sleep_until(time)
        async with self._resuming:
            await trio.lowlevel.checkpoint()


class Budget:
    """One connection's: its own bucket, and its address's, which it shares."""

    __slots__ = ("_address", "_budgets", "_own", "_resume_at", "spent")

    def __init__(self, budgets: Budgets, address: str | None) -> None:
        self.spent = False  # nothing is to be read before a `pause`
        self._budgets = budgets
        self._address = address
        self._own = budgets.make_own()
        self._resume_at = 0.0

    def charge(self, frames: float = 1.0) -> None:
        """So many frames were dealt with for it. Never waits, never raises."""
        now = trio.current_time()
        wait = 0.0 if self._own is None else self._own.charge(frames, now)
        if self._address is not None:
            wait = max(wait, self._budgets.charge(self._address, frames, now))
        if wait:
            self.spent = True
            self._resume_at = now + wait

    async def pause(self) -> None:
        """Until reading may go on: `Settings.frame_pause` at most, but for those before it.

        It is not asked again whether there is still a debt: others with the same address make
        debts too, and one of them would never have its turn.
        """
        await self._budgets.pause_until(self._resume_at)
        self.spent = False
