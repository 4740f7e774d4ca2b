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

    __slots__ = ("_brief", "_connections", "_ends_at", "_patience", "_sockets")

    def __init__(self, patience: float) -> None:
        """`patience`: seconds for which a room is kept that a connection has left."""
        self._patience = patience
        self._brief = min(_BRIEF, patience)
        self._connections = 0  # of the visits
        self._sockets: dict[object, Socket | Stream | None] = {}
        self._ends_at = trio.current_time()  # when there is no visit

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: Socket | Stream | None) -> object:
        """A visit begins, of a connection if there is a `socket`; `remove` what this returns."""
        visit = object()
        self._sockets[visit] = socket
        self._connections += socket is not None
        return visit

    def remove(self, visit: object) -> bool:
        """That visit is over. Returns whether it was the last one of a connection.

        Then `idle_until` is no longer never; else it is no earlier than it was.
        """
        is_connection = self._sockets.pop(visit) is not None
        self._connections -= is_connection
        patience = self._patience if is_connection else self._brief
        self._ends_at = max(self._ends_at, trio.current_time() + patience)
        return is_connection and not self._connections

    def idle_until(self) -> float:
        """When the room is to end, in seconds of the clock; never, while a connection visits it.

        While only requests look into it, this is when to ask again, which is no later than when it
        would end if they were over now: so nobody has to be told that one is over.
        """
        if not self._sockets:
            return self._ends_at
        if self._connections:
            return inf
        return max(self._ends_at, trio.current_time() + (self._brief or _BRIEF))

    def send_away(self, code: Close) -> None:
        """Close the sockets of all."""
        for socket in self._sockets.values():
            if socket is not None:
                socket.close(code, _REASONS[code])
