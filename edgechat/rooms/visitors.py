"""Who keeps a room alive: connections from their hello on, and requests that look into it."""

from __future__ import annotations

from math import inf

import trio

from edgechat.chat.errors import Close
from edgechat.rooms.socket import Socket

_REASONS = {
    Close.DEFECT: "a defect ended the room: come back to a fresh one",
    Close.RESTART: "the server or the room starts again: come back",
}


class Visitors:
    """The visits to one room that are going on."""

    __slots__ = ("_idle_since", "_patience", "_sockets")

    def __init__(self, patience: float) -> None:
        """`patience`: seconds for which an empty room is kept."""
        self._patience = patience
        self._sockets: dict[object, Socket | None] = {}
        self._idle_since = trio.current_time()

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: Socket | None) -> object:
        """A visit begins; `remove` what this returns."""
        visit = object()
        self._sockets[visit] = socket
        return visit

    def remove(self, visit: object) -> None:
        """That visit is over."""
        del self._sockets[visit]
        self._idle_since = trio.current_time()

    def idle_until(self) -> float:
        """When the room is to end, in seconds of the clock; never, while there is a visit."""
        return inf if self._sockets else self._idle_since + self._patience

    def send_away(self, code: Close) -> None:
        """Close the sockets of all."""
        for socket in self._sockets.values():
            if socket is not None:
                socket.close(code, _REASONS[code])
