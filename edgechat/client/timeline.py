"""From frames in the order of their coming to events in the order of their happening.

While a join goes on, lines are *held* until `ready` says whether they go on from the last one.
When the feed is full and reading goes on all the same (a message waits for its echo), events are
not kept: the timeline is *behind*. Once the feed is empty the room is joined again from the last
line that was kept, as after a cut: what overflowed comes from the server's history.
"""

from __future__ import annotations

from edgechat.chat.line import Token
from edgechat.client.cursor import Cursor
from edgechat.client.events import Event, Line, Ready, Reset, Typing
from edgechat.client.feed import Feed
from edgechat.client.frames import BadFrame

MAX_HELD = 20_000  # lines: 10,000 are the most that a resume brings, the rest is said meanwhile


class Timeline:
    """What happened, for one who takes it event by event."""

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

    def line(self, line: Line) -> None:
        """A line came. Raises `BadFrame` if it can't be the next one."""
        if self._held is None:
            if self._keeps():
                self._add(self._cursor.step(line))
        elif len(self._held) < MAX_HELD:
            self._held.append(line)
        else:
            raise BadFrame(f"more than {MAX_HELD} lines before ready")

    def tell(self, event: Event) -> None:
        """Something other than a line happened."""
        if self._keeps():
            self._add(event)

    def hint(self, event: Typing) -> None:
        """Something happened that is soon over: worth no rejoining if there is no room for it."""
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
