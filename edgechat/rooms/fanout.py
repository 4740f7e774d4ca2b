"""A room's members as the room sees them: who waits to come in, who is in, who left.

It delivers what a batch says: one write to each member, and a reply to whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import trio

from edgechat.chat.apply import Outcome
from edgechat.chat.commands import Command, Join, Leave
from edgechat.chat.errors import Refusal
from edgechat.chat.session import Session
from edgechat.rooms.reply import Reply
from edgechat.rooms.socket import Socket, WriteAll, Writer

# Telling n members costs some 5 µs each. Comings and goings may take a tenth of the time: when
# many come at once, they gather meanwhile and are told together.
_PACE = 50e-6  # seconds for each member
_LONGEST_PACE = 0.1
_SMALL = 20  # members, below which nobody needs to gather


# What a follower is sent of lines (without newlines): made once for all who want the same.
Encode = Callable[[Sequence[bytes]], bytes]


class Arrival:
    """A newcomer that waits to be let in."""

    __slots__ = ("admitted", "behind", "is_taken", "join", "socket")

    def __init__(self, join: Join, socket: Socket) -> None:
        self.join = join
        self.socket = socket
        self.admitted = trio.Event()  # set when the wait is over, whatever came of it
        self.behind = False
        self.is_taken = False  # its join is in a batch, which may have to be decided once more


class Fanout:
    """The fan-out of one room, and the comings and goings that are to be told."""

    __slots__ = (
        "_arriving",
        "_asking",
        "_departed",
        "_everybody",
        "_followers",
        "_next_change",
        "_senders",
        "_watchers",
        "_write_all",
        "followers",
    )

    def __init__(self, write_all: WriteAll) -> None:
        self._write_all = write_all
        self._senders: dict[Session, Writer] = {}
        self._everybody: Sequence[Writer] | None = None  # the same, while nobody comes or goes
        self._arriving: dict[Session, Arrival] = {}
        self._asking: dict[Session, Reply] = {}
        self.followers = 0  # how many are written to that are not members
        self._followers: dict[Encode, dict[Writer, None]] = {}
        self._watchers: dict[Callable[[], None], None] = {}
        self._departed: list[Session] = []
        self._next_change = -inf

    def __len__(self) -> int:
        return len(self._senders)

    def knock(self, join: Join, socket: Socket) -> Arrival:
        """A newcomer wants to come in."""
        arrival = self._arriving[join.session] = Arrival(join, socket)
        return arrival

    def expect(self, session: Session) -> Reply:
        """The reply to a session that is not a member; `forget` it afterwards."""
        reply = self._asking[session] = Reply()
        return reply

    def forget(self, session: Session) -> None:
        """Nobody waits for that reply any more."""
        self._asking.pop(session, None)

    def follow(self, writer: Writer, encode: Encode) -> None:
        """From now on `writer` gets each line that is stored, as `encode` makes it.

        It is not a member: nobody is told. `unfollow` it afterwards.
        """
        writers = self._followers.setdefault(encode, {})
        self.followers += writer not in writers
        writers[writer] = None

    def unfollow(self, writer: Writer, encode: Encode) -> None:
        """Not one more write; safe where it did not follow."""
        writers = self._followers.get(encode, {})
        if writer in writers:
            del writers[writer]
            self.followers -= 1
        if not writers:
            self._followers.pop(encode, None)

    def watch(self, notice: Callable[[], None]) -> None:
        """From now on `notice` is called after lines were stored; it must not wait or raise.

        `unwatch` it afterwards. It is for whoever reads the lines at its own speed.
        """
        self._watchers[notice] = None

    def unwatch(self, notice: Callable[[], None]) -> None:
        """Not one more call; safe where it did not watch."""
        self._watchers.pop(notice, None)

    def leave(self, session: Session) -> bool:
        """A member is gone: not one more write. Returns whether there is something to tell."""
        self._arriving.pop(session, None)
        if self._senders.pop(session, None) is None:
            return False
        self._everybody = None
        self._departed.append(session)
        return True

    def end(self, refusal: Refusal) -> None:
        """Nobody that waits will be let in, or be answered otherwise."""
        for arrival in self._arriving.values():
            arrival.admitted.set()
        for reply in self._asking.values():
            reply.set(refusal)

    def change_at(self) -> float:
        """When comings and goings may be told, in seconds of the clock; never, if none wait."""
        return self._next_change if self._arriving or self._departed else inf

    def take_changes(self, now: float) -> list[Command]:
        """The goings and comings to tell now."""
        if now < self.change_at():
            return []
        changes: list[Command] = [Leave(session) for session in self._departed]
        for arrival in self._arriving.values():
            if not arrival.is_taken:
                arrival.is_taken = True
                changes.append(arrival.join)
        self._departed = []
        members = len(self._senders) + len(self._arriving)
        pace = 0.0 if members < _SMALL else min(_LONGEST_PACE, members * _PACE)
        self._next_change = now + pace
        return changes

    def deliver(self, outcome: Outcome) -> None:
        """Let in who is admitted, write to everybody (one call for each), and reply."""
        for join in outcome.behind:
            self._admit(join, behind=True)
        for join in outcome.admitted:
            self._admit(join, behind=False)
        v1, v2, personal = outcome.v1, outcome.v2, outcome.personal
        if personal:
            for session, sender in self._senders.items():
                if data := personal.get(session, v2 if session.v2 else v1):
                    sender.write(data)
        elif v1 == v2:
            if v1:
                if self._everybody is None:
                    self._everybody = list(self._senders.values())
                self._write_all(self._everybody, v1)
        else:
            self._broadcast(v1, v2=False)
            self._broadcast(v2, v2=True)
        for session, answer in outcome.replies:
            if (reply := self._asking.get(session)) is not None:
                reply.set(answer)
        if (self.followers or self._watchers) and outcome.lines:
            for encode, writers in self._followers.items():
                self._write_all(writers, encode(outcome.lines))
            for notice in self._watchers:
                notice()

    def _broadcast(self, blob: bytes, *, v2: bool) -> None:
        if blob:
            some = [sender for session, sender in self._senders.items() if session.v2 is v2]
            self._write_all(some, blob)

    def _admit(self, join: Join, *, behind: bool) -> None:
        """Let a newcomer in, or tell it to catch up first.

        If it disconnected meanwhile, its join was already announced: queue its leave.
        """
        arrival = self._arriving.pop(join.session, None)
        if arrival is not None:
            arrival.behind = behind
            arrival.admitted.set()
            if not behind:
                self._senders[join.session] = arrival.socket.sender
                self._everybody = None
        elif not behind:
            self._departed.append(join.session)
