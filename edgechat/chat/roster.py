"""Who is in a room, and how their coming and going is told.

To the demo's protocol a roster is of sessions: two tabs named bob join and quit one by one. To v2
it is of names: one bob until his last session leaves; and in a big room it is a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from math import inf

from edgechat.chat import outgoing
from edgechat.chat.line import encode_name
from edgechat.chat.session import Session

COUNT_INTERVAL = 1.0  # seconds between two counts in a big room
PAGE = 100  # names that a newcomer to a big room is shown
_SMALL_AGAIN = 0.8  # of the size at which it became big: a room at the border does not flap


class Roster:
    """The sessions in one room, oldest first, and those of the same room on other servers."""

    __slots__ = (
        "_big_room",
        "_counted_at",
        "_elsewhere",
        "_greetings",
        "_names",
        "_unnamed",
        "big",
        "changes",
        "sessions",
        "stale",
    )

    def __init__(self, big_room: int) -> None:
        self.sessions: dict[Session, None] = {}
        self.changes = 0  # of `sessions`: comings and goings until now
        self.big = False
        self._elsewhere: dict[str, Counter[str]] = {}  # by server
        self._unnamed: dict[str, int] = {}  # more of them, by server
        self._big_room = big_room
        self._names: Counter[str] = Counter()
        self._greetings: dict[bool, bytes] = {}
        self.stale = False  # a count is to be told
        self._counted_at = float("-inf")

    def __len__(self) -> int:
        if not self._elsewhere:
            return len(self.sessions)
        others = sum(names.total() for names in self._elsewhere.values())
        return len(self.sessions) + others + sum(self._unnamed.values())

    def here(self) -> tuple[list[str], int]:
        """What other servers are told: names of sessions here, and how many more there are."""
        most = self._big_room if len(self.sessions) <= self._big_room else PAGE
        named = [session.name for session in islice(self.sessions, most)]
        return named, len(self.sessions) - len(named)

    def replace(self, server: str, names: Iterable[str], more: int) -> tuple[bytes, bytes]:
        """These, and `more`, are there on another server. Returns what v1 and v2 are told."""
        before, now = self._elsewhere.get(server, Counter()), Counter(names)
        v1: list[bytes] = []
        v2: list[bytes] = []
        for name in (before - now).elements():
            v1.append(outgoing.quit(encode_name(name)))
            self._names[name] -= 1
            if not self._names[name]:
                del self._names[name]
                v2.append(v1[-1])
        for name in (now - before).elements():
            v1.append(outgoing.joined(encode_name(name)))
            self._names[name] += 1
            if self._names[name] == 1:
                v2.append(v1[-1])
        self._elsewhere[server], self._unnamed[server] = now, more
        if not now and not more:
            del self._elsewhere[server], self._unnamed[server]
        self._greetings.clear()
        return b"".join(v1), self._for_v2(b"".join(v2))

    def present(self, *, v2: bool) -> tuple[str, ...]:
        """The names that `greeting` says: each session's, or each once; of a big room a page."""
        if not v2:
            here = [session.name for session in self.sessions]
            return (*here, *chain(*(names.elements() for names in self._elsewhere.values())))
        return tuple(islice(self._names, PAGE if self.big else None))

    def add(self, session: Session) -> tuple[bytes, bytes]:
        """Take a newcomer in. Returns what v1 members are told, and what v2 members are."""
        self.sessions[session] = None
        self.changes += 1
        self._names[session.name] += 1
        first = self._names[session.name] == 1
        greeting = self._greetings.get(False)
        if greeting is not None:  # a crowd may be coming: do not begin again for each
            self._greetings[False] = greeting + session.joined
        if first:
            self._greetings.pop(True, None)
        return session.joined, self._for_v2(session.joined if first else b"")

    def remove(self, session: Session) -> tuple[bytes, bytes]:
        """Let a member go. Returns what v1 members are told, and what v2 members are."""
        del self.sessions[session]
        self.changes += 1
        self._greetings.clear()
        self._names[session.name] -= 1
        last = not self._names[session.name]
        if last:
            del self._names[session.name]
        gone = outgoing.quit(session.name_json)
        return gone, self._for_v2(gone if last else b"")

    def greeting(self, *, v2: bool) -> bytes:
        """What tells a newcomer who is there: frames for v1 or for v2."""
        blob = self._greetings.get(v2)
        if blob is None:
            blob = self._greetings[v2] = self._greet_v2() if v2 else self._greet_v1()
        return blob

    def change_since(self, told: Iterable[str], *, v2: bool) -> bytes:
        """What one needs to hear who was told these names a while ago."""
        if v2 and self.big:
            return self._greet_v2()
        before, now = Counter(told), Counter(self.present(v2=v2))
        gone = [outgoing.quit(encode_name(name)) for name in (before - now).elements()]
        new = [outgoing.joined(encode_name(name)) for name in (now - before).elements()]
        return b"".join(gone + new)

    def due(self) -> float:
        """When the next count is to be told, in seconds of the clock; never, if none is."""
        return self._counted_at + COUNT_INTERVAL if self.stale else inf

    def count(self, now: float) -> bytes:
        """The count, for v2 members, where it is due; else nothing."""
        if not self.stale or now < self._counted_at + COUNT_INTERVAL:
            return b""
        self.stale = False
        self._counted_at = now
        return outgoing.members(len(self))

    def _for_v2(self, frame: bytes) -> bytes:
        """The frame in a room that is not big; else nothing now, and a count later."""
        was_big = self.big
        border = self._big_room * (_SMALL_AGAIN if was_big else 1)
        self.big = len(self) > border
        if self.big:
            self.stale = True
            self._greetings.pop(True, None)
            return b""
        self.stale = False
        return self._greet_page() if was_big else frame

    def _greet_v1(self) -> bytes:
        here = [session.joined for session in self.sessions]
        if self._elsewhere:
            others = chain(*(names.elements() for names in self._elsewhere.values()))
            here += [outgoing.joined(encode_name(name)) for name in others]
        return b"".join(here)

    def _greet_v2(self) -> bytes:
        if self.big:
            return self._greet_page()
        return b"".join([outgoing.joined(encode_name(name)) for name in self._names])

    def _greet_page(self) -> bytes:
        return outgoing.roster(len(self), list(self.present(v2=True)))
