"""Who is here: names, as a v2 client is told them — one however many sessions it has."""

from __future__ import annotations

from edgechat.client.events import Joined, Members, Quit
from edgechat.client.wire import ServerFrame


class Presence:
    """The names present, in the order of their coming.

    In a big room the server sends counts in place of names: then `names` are those it told.
    """

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._joining: dict[str, None] | None = None
        self.members = 0  # sessions, not names

    @property
    def names(self) -> tuple[str, ...]:
        """Who is here, or was when the connection was lost."""
        return tuple(self._names)

    def begin(self) -> None:
        """A join begins: what comes until `complete` replaces what was known."""
        self._joining = {}

    def complete(self, members: int) -> None:
        """The join is complete; `members` counts sessions."""
        self._names = self._joining or {}
        self._joining = None
        self.members = members

    def change(self, frame: ServerFrame) -> Joined | Quit | Members | None:
        """Take over what a frame says of it, and return that; None if it says nothing."""
        if frame.joined is not None:
            self._current[frame.joined] = None
            return Joined(frame.joined)
        if frame.quit is not None:
            self._current.pop(frame.quit, None)
            return Quit(frame.quit)
        if frame.members is not None:
            self.members = frame.members
            if frame.roster is not None:
                self._replace(frame.roster)
            return Members(frame.members)
        return None

    def _replace(self, names: tuple[str, ...]) -> None:
        """All that was known is replaced; in a big room `names` are some of those present."""
        self._current.clear()
        self._current.update(dict.fromkeys(names))

    @property
    def _current(self) -> dict[str, None]:
        return self._names if self._joining is None else self._joining
