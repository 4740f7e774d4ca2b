"""A table keyed by address, which never grows beyond a size and never stops to tidy up."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class AddressTable(Generic[Value]):
    """Remembers what was used in the last `seconds`; of too many, the longest unused go first.

    Two generations: what is used moves to the younger one. When that has its time behind it, or is
    half of `most`, it becomes the older one, and what nobody asked for is dropped as a whole. So
    every operation takes the same few steps, however many addresses there are: a million of them
    (one host may have 65,536 networks of IPv6) cost everybody else nothing. Times in seconds of a
    clock that never goes back.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._half = max(1, most // 2)
        self._seconds = seconds
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}
        self._began = float("-inf")

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._young) + len(self._old)

    def get(self, address: str, now: float) -> Value | None:
        """What is remembered of `address`; this is a use of it."""
        self._grow_older(now)
        value = self._young.get(address)
        if value is None and (value := self._old.pop(address, None)) is not None:
            self._young[address] = value
        return value

    def put(self, address: str, value: Value, now: float) -> None:
        """Remember it."""
        self._grow_older(now)
        self._old.pop(address, None)
        self._young[address] = value

    def _grow_older(self, now: float) -> None:
        if len(self._young) >= self._half or now - self._began >= self._seconds:
            self._old, self._young, self._began = self._young, {}, now
