"""Events that wait for the iterator."""

from __future__ import annotations

from collections import deque

from edgechat.chat.line import Token
from edgechat.client.events import Event


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
