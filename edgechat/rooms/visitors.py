"""Who keeps a room alive: connections from their hello on, and requests that look into it."""

from __future__ import annotations

from math import inf

import trio

from edgechat.chat.errors import Close
from edgechat.rooms.socket import Socket, Stream

_REASONS = {
    Close.DEFECT: "a defect ended the room: come back to a fresh one",
    Close.RESTART: "the server or the room starts again: come back",
}


_BRIEF = 1.0  # seconds for which a room is kept that was only looked into by HTTP


class Visitors:
    """The visits to one room that are going on."""

    __slots__ = ("_ends_at", "_patience", "_sockets")

    def __init__(self, patience: float) -> None:
        """`patience`: seconds for which a room is kept that a connection has left."""
        self._patience = patience
        self._sockets: dict[object, Socket | Stream | None] = {}
        self._ends_at = trio.current_time()  # when there is no visit

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: Socket | Stream | None) -> object:
        """A visit begins, of a connection if there is a `socket`; `remove` what this returns."""
        visit = object()
        self._sockets[visit] = socket
        return visit

    def remove(self, visit: object) -> None:
        """That visit is over."""
        socket = self._sockets.pop(visit)
        patience = self._patience if socket is not None else min(_BRIEF, self._patience)
        self._ends_at = max(self._ends_at, trio.current_time() + patience)

    def idle_until(self) -> float:
        """When the room is to end, in seconds of the clock; never, while there is a visit."""
        return inf if self._sockets else self._ends_at

    def send_away(self, code: Close) -> None:
        """Close the sockets of all."""
        for socket in self._sockets.values():
            if socket is not None:
                socket.close(code, _REASONS[code])
