"""A room's members as the room sees them: who waits to come in, who is in, who went."""

from __future__ import annotations

from math import inf

import trio

from edgechat.chat.apply import Outcome
from edgechat.chat.commands import Command, Join, Leave
from edgechat.chat.session import Session
from edgechat.rooms.socket import Socket, WriteAll

# Telling n members costs some 5 µs each. Comings and goings may take a tenth of the time: when
# many come at once, they gather meanwhile and are told together.
_PACE = 50e-6  # seconds for each member
_LONGEST_PACE = 0.1
_SMALL = 20  # members, below which nobody needs to gather


class Arrival:
    """Somebody who waits to be let in."""

    __slots__ = ("admitted", "behind", "join", "socket")

    def __init__(self, join: Join, socket: Socket) -> None:
        self.join = join
        self.socket = socket
        self.admitted = trio.Event()  # set when the wait is over, whatever came of it
        self.behind = False


class Fanout:
    """The fan-out of one room, and the comings and goings that are to be told."""

    __slots__ = (
        "_arriving",
        "_departed",
        "_next_change",
        "_sockets",
        "_write_all",
    )

    def __init__(self, write_all: WriteAll) -> None:
        self._write_all = write_all
        self._sockets: dict[Session, Socket] = {}
        self._arriving: dict[Session, Arrival] = {}
        self._departed: list[Session] = []
        self._next_change = -inf

    def knock(self, join: Join, socket: Socket) -> Arrival:
        """Somebody wants to come in."""
        arrival = self._arriving[join.session] = Arrival(join, socket)
        return arrival

    def leave(self, session: Session) -> bool:
        """Somebody is gone: not one more write. Returns whether there is something to tell."""
        self._arriving.pop(session, None)
        if self._sockets.pop(session, None) is None:
            return False
        self._departed.append(session)
        return True

    def send_home(self) -> None:
        """Nobody who waits to come in will be let in any more."""
        for arrival in self._arriving.values():
            arrival.admitted.set()

    def change_at(self) -> float:
        """When comings and goings may be told, in seconds of the clock; never, if none wait."""
        return self._next_change if self._arriving or self._departed else inf

    def take_changes(self, now: float) -> list[Command]:
        """The goings and comings to tell now."""
        if now < self.change_at():
            return []
        changes: list[Command] = [Leave(session) for session in self._departed]
        changes += [arrival.join for arrival in self._arriving.values()]
        self._departed = []
        members = len(self._sockets) + len(self._arriving)
        pace = 0.0 if members < _SMALL else min(_LONGEST_PACE, members * _PACE)
        self._next_change = now + pace
        return changes

    def deliver(self, outcome: Outcome) -> None:
        """Let in who is admitted, and write to everybody: one call for each."""
        for join in outcome.behind:
            self._answer(join, behind=True)
        for join in outcome.admitted:
            self._answer(join, behind=False)
        v1, v2, personal = outcome.v1, outcome.v2, outcome.personal
        if personal:
            for session, socket in self._sockets.items():
                if data := personal.get(session, v2 if session.v2 else v1):
                    socket.write(data)
        elif v1 == v2:
            if v1:
                self._write_all(self._sockets.values(), v1)
        else:
            self._tell(v1, v2=False)
            self._tell(v2, v2=True)

    def _tell(self, blob: bytes, *, v2: bool) -> None:
        if blob:
            some = [socket for session, socket in self._sockets.items() if session.v2 is v2]
            self._write_all(some, blob)

    def _answer(self, join: Join, *, behind: bool) -> None:
        """Who left meanwhile has come, as all have been told, and goes again."""
        arrival = self._arriving.pop(join.session, None)
        if arrival is not None:
            arrival.behind = behind
            arrival.admitted.set()
            if not behind:
                self._sockets[join.session] = arrival.socket
        elif not behind:
            self._departed.append(join.session)
