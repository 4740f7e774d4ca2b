"""Who types now."""

from __future__ import annotations


class Typists:
    """Names, and until when each is shown; in seconds of the clock."""

    __slots__ = ("_shown", "_until")

    def __init__(self, shown: float) -> None:
        self._shown = shown
        self._until: dict[str, float] = {}

    def note(self, name: str, now: float) -> list[str]:
        """`name` types: returns all who do."""
        self._until[name] = now + self._shown
        self._until = {name: until for name, until in self._until.items() if until > now}
        return list(self._until)

    def forget(self, name: str) -> None:
        """`name` said it, or left."""
        self._until.pop(name, None)
