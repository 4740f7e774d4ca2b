"""From frames in the order of their coming to events in the order of their happening.

While a join goes on, lines are *held* until `ready` says whether they continue from the last one.
Events wait in the *feed* for the iterator. When it is full and the socket is read all the same
(a message waits for its echo), events are dropped: the timeline is *behind*. Once the feed is
empty the room is joined again from the last line that was kept, as after a cut: what was dropped
comes from the server's history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from edgechat.chat.line import Token
from edgechat.client.events import Delayed, Event, Line, Lost, Ready, Reset, Typing
from edgechat.client.wire import BadFrame

MAX_HELD = 20_000  # lines: 10,000 are the most that a resume brings, the rest is said meanwhile
MAX_HOLE = 10_000  # lines: a server that is further behind a token than this says so (`far`)


class Hole(BadFrame):
    """A line came that is not the next one."""


class Cursor:
    """The place in the history up to which lines were given out: each `seq` once and in order.

    Laws: `last` is the `seq` of the last line given out, None before any; `token` is the last
    line that has an `h`, from which the room can be resumed. Neither moves back but by `reset`.
    """

    def __init__(self, since: Token | None = None) -> None:
        self.last = since.seq if since else None
        self.token = since

    def reset(self) -> None:
        """Another history, or a part of it that does not join: any line may be the next."""
        self.last = None
        self.token = None

    def step(self, line: Line) -> Line | None:
        """Give out a live line; None for one that was given out before. Raises `Hole`."""
        if self.last is not None:
            if line.seq <= self.last:
                return None
            if line.seq != self.last + 1:
                raise Hole(f"line {line.seq} came after line {self.last}")
        return self._moved(line)

    def fill(self, line: Line) -> Iterator[Line]:
        """Give out a line of a join, and before it a `Lost` for each that the server left out.

        Unlike a hole in live lines, one in a join would be there again after the next one.
        """
        if self.last is not None:
            if line.seq > self.last + 1 + MAX_HOLE:
                raise Hole(f"line {line.seq} came after line {self.last}")
            for seq in range(self.last + 1, line.seq):
                yield self._moved(Lost(seq))
        given = self.step(line)
        if given is not None:
            yield given

    def arrive(self, head: Token) -> None:
        """The room's head, as `ready` says it: the place of a client that has seen no line."""
        if self.last is None or self.last == head.seq:
            self.last = head.seq
            self.token = head

    def _moved(self, line: Line) -> Line:
        self.last = line.seq
        if not isinstance(line, Lost):
            self.token = Token(line.seq, line.h)
        return line


class Feed:
    """A bounded buffer of events, each with the token that is right once it was taken.

    The bound is kept by its owner, who stops reading the socket while it is `is_full`: so what
    one frame brings may come on top, and one join brings 10,000 lines at most.
    """

    def __init__(self, capacity: int, token: Token | None) -> None:
        self._capacity = max(1, capacity)  # at 0 nothing would ever be read
        self._events: deque[tuple[Event, Token | None]] = deque()
        self.token = token  # after the last event that was taken

    def __len__(self) -> int:
        return len(self._events)

    @property
    def is_full(self) -> bool:
        """Whether no more should be read."""
        return len(self._events) >= self._capacity

    def add(self, event: Event, token: Token | None) -> None:
        """Append an event; `token` resumes after it."""
        self._events.append((event, token))

    def take(self) -> Event:
        """The oldest event. Raises `IndexError` if there is none."""
        event, self.token = self._events.popleft()
        return event


class Timeline:
    """What happened, for an iterator that takes it event by event."""

    def __init__(self, capacity: int, since: Token | None) -> None:
        self._cursor = Cursor(since)
        self._held: list[Line] | None = None  # None: no join goes on
        self.feed = Feed(capacity, since)
        self.is_behind = False

    @property
    def token(self) -> Token | None:
        """From where to resume: the last line that was kept, taken or not."""
        return self._cursor.token

    def begin(self) -> None:
        """A join begins."""
        self._held = []

    def add_line(self, line: Line) -> None:
        """A line came. Raises `BadFrame` if it can't be the next one."""
        if self._held is None:
            if self._keeps():
                self._add(self._cursor.step(line))
        elif len(self._held) < MAX_HELD:
            self._held.append(line)
        else:
            raise BadFrame(f"more than {MAX_HELD} lines before ready")

    def add_event(self, event: Event) -> None:
        """Something other than a line happened."""
        if self._keeps():
            self._add(event)

    def add_hint(self, event: Typing | Delayed) -> None:
        """Soon outdated: not worth joining again if there is no room for it."""
        if not self.feed.is_full and not self.is_behind:
            self._add(event)

    def ready(self, ready: Ready, reset: str | None) -> None:
        """The join is complete; `reset` is the reason if it could not resume.

        Raises `BadFrame` if the lines held can't be the next ones.
        """
        held, self._held = self._held or [], None
        self.is_behind = self.feed.is_full
        if self.is_behind:
            return
        if reset is not None:
            self._cursor.reset()
            self._add(Reset(reset))
        for line in held:
            for given in self._cursor.fill(line):
                self._add(given)
        self._cursor.arrive(Token(ready.seq, ready.h))
        self._add(ready)

    def _keeps(self) -> bool:
        self.is_behind = self.is_behind or self.feed.is_full
        return not self.is_behind

    def _add(self, event: Event | None) -> None:
        if event is not None:
            self.feed.add(event, self._cursor.token)
