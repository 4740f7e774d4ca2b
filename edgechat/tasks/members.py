"""A room's members as the room sees them: who waits to come in, who is in, who went."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import trio

from edgechat.core.commands import Command, Join, Leave
from edgechat.core.session import Session
from edgechat.core.settle import Outcome
from edgechat.tasks.socket import Socket

# Telling n members costs some 5 µs each. Comings and goings may take a tenth of the time: when
# many come at once, they gather meanwhile and are told together.
_PACE = 50e-6  # seconds for each member
_LONGEST_PACE = 0.1
_SMALL = 20  # members, below which nobody needs to gather

Write = Callable[[bytes], None]


class Arrival:
    """Somebody who waits to be let in."""

    __slots__ = ("admitted", "behind", "join", "write")

    def __init__(self, join: Join, write: Write) -> None:
        self.join = join
        self.write = write
        self.admitted = trio.Event()  # set when the wait is over, whatever came of it
        self.behind = False


class Members:
    """The fan-out of one room, and the comings and goings that are to be told."""

    def __init__(self) -> None:
        self._v1: dict[Session, Write] = {}
        self._v2: dict[Session, Write] = {}
        self._arriving: dict[Session, Arrival] = {}
        self._departed: list[Session] = []
        self._next_change = -inf

    def knock(self, join: Join, socket: Socket) -> Arrival:
        """Somebody wants to come in."""
        arrival = self._arriving[join.session] = Arrival(join, socket.write)
        return arrival

    def leave(self, session: Session) -> bool:
        """Somebody is gone: not one more write. Returns whether there is something to tell."""
        self._arriving.pop(session, None)
        if self._of(session).pop(session, None) is None:
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
        members = len(self._v1) + len(self._v2) + len(self._arriving)
        pace = 0.0 if members < _SMALL else min(_LONGEST_PACE, members * _PACE)
        self._next_change = now + pace
        return changes

    def deliver(self, outcome: Outcome) -> None:
        """Let in who is admitted, and write to everybody: one call for each."""
        for join in outcome.behind:
            self._answer(join, behind=True)
        for join in outcome.admitted:
            self._answer(join, behind=False)
        _fan_out(self._v1, outcome.v1, outcome)
        _fan_out(self._v2, outcome.v2, outcome)

    def _answer(self, join: Join, *, behind: bool) -> None:
        """Who left meanwhile has come, as all have been told, and goes again."""
        arrival = self._arriving.pop(join.session, None)
        if arrival is not None:
            arrival.behind = behind
            arrival.admitted.set()
            if not behind:
                self._of(join.session)[join.session] = arrival.write
        elif not behind:
            self._departed.append(join.session)

    def _of(self, session: Session) -> dict[Session, Write]:
        return self._v2 if session.v2 else self._v1


def _fan_out(members: dict[Session, Write], blob: bytes, outcome: Outcome) -> None:
    personal = outcome.personal
    if personal:
        for session, write in members.items():
            if data := personal.get(session, blob):
                write(data)
    elif blob:
        for write in members.values():
            write(blob)
