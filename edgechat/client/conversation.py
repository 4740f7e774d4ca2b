"""The rules of being in a room, without I/O: what came goes in, what to do comes out.

A conversation outlives its connections:

    AWAY ── connected() ──▶ JOINING ── ready ──▶ JOINED
      ▲                        │                    │
      └──── disconnected() ────┴────────────────────┘
"""

from __future__ import annotations

from enum import Enum, auto

from edgechat.chat.line import Token
from edgechat.client import wire
from edgechat.client.events import Disconnected, Error, Event, Limits, Message, Typing
from edgechat.client.failures import Refused
from edgechat.client.ids import Ids
from edgechat.client.presence import Presence
from edgechat.client.reconnect import Ended, Reconnect
from edgechat.client.room_options import Options
from edgechat.client.timeline import Timeline
from edgechat.client.timers import Liveness, TypingThrottle
from edgechat.client.unsent import Outgoing, Unsent
from edgechat.client.wire import ServerFrame, line_of, ready_of


class JoinState(Enum):
    """Where a conversation is with its connection."""

    AWAY = auto()
    JOINING = auto()
    JOINED = auto()


class Conversation:
    """One name in one room. `now` is in seconds of one clock, whichever that is."""

    def __init__(
        self, name: str, backlog: int, since: Token | None, ids: Ids, options: Options, now: float
    ) -> None:
        self._name = name
        self._backlog = backlog
        self._ids = ids
        self._resumes = False
        self._last_error: ServerFrame | None = None
        self._reconnect = Reconnect(options, now)
        self._liveness = Liveness(options.ping_interval, options.ping_timeout)
        self._typing = TypingThrottle()
        self.timeline = Timeline(options.buffer, since)
        self.unsent = Unsent(options)
        self.presence = Presence()
        self.state = JoinState.AWAY
        self.limits: Limits | None = None  # None: never joined yet

    # What the user does.

    def say(self, text: str, id: str, *, retry: bool) -> Outgoing:
        """Put a message among the unsent. Raises `ValueError`, or `Refused` if it is too long."""
        entry = self.unsent.add(text, id, retry=retry)
        self._refuse_too_long()
        if isinstance(entry.answer, Refused):
            raise entry.answer
        return entry

    def type(self, now: float) -> None:
        """Show to the others that the user types. Does nothing without a connection."""
        if self.state is JoinState.JOINED:
            self._typing.type(now)

    def take(self) -> Event:
        """The next event. Raises `IndexError` if there is none."""
        return self.timeline.feed.take()

    # What the connection should do.

    @property
    def may_read(self) -> bool:
        """Whether to read on: there is room in the feed, or someone waits for an answer."""
        return not self.timeline.feed.is_full or len(self.unsent) > 0

    @property
    def should_rejoin(self) -> bool:
        """Whether events overflowed, and there is room for them now."""
        joined = self.state is JoinState.JOINED
        return joined and self.timeline.is_behind and not self.timeline.feed

    def due(self, now: float) -> list[str]:
        """The frames to send now, in order; they count as sent."""
        frames: list[str] = []
        if self.state is JoinState.JOINED:
            frames += self.unsent.due(now)
            frames += [wire.TYPING] if self._typing.is_due(now) else []
        number = self._liveness.ping(now)
        return frames if number is None else [*frames, wire.ping(number)]

    @property
    def wake_at(self) -> float:
        """When `due` or `is_dead` may have changed, if nothing happens before."""
        if self.state is not JoinState.JOINED:
            return self._liveness.wake_at
        return min(self._liveness.wake_at, self.unsent.wake_at, self._typing.wake_at)

    def is_dead(self, now: float) -> bool:
        """Whether to drop the connection: a ping has gone unanswered for too long."""
        return self._liveness.is_dead(now)

    # What the connection tells.

    def connected(self, now: float) -> str:
        """A connection is open: returns the hello, to be sent first."""
        self.state = JoinState.JOINING
        self._last_error = None
        self._resumes = self.timeline.token is not None
        self._liveness.heard(now)
        self.timeline.begin()
        self.presence.begin()
        return wire.hello(self._name, self._backlog, self.timeline.token)

    def paused(self) -> None:
        """Reading stops: the server's silence says nothing now."""
        self._liveness.pause()

    def unpaused(self, now: float) -> None:
        """Reading goes on."""
        self._liveness.heard(now)

    def received(self, data: str | bytes, now: float) -> list[Outgoing]:
        """A frame came: returns the messages that it answers.

        Raises `BadFrame`: drop the connection; the next one resumes.
        """
        frame = wire.decode(data)
        if frame.pong is None or self.state is JoinState.JOINED:
            self._liveness.heard(now)  # while joining, a server must do more than answer pings
        if frame.ready:
            return self._ready(frame, now)
        if frame.seq is not None:
            return self._line(frame)
        if frame.error is not None:
            return self._error(frame, frame.error, now)
        self._others(frame)
        return []

    def disconnected(self, ended: Ended, now: float) -> float:
        """The connection is gone, or none came about: returns the seconds to wait.

        Raises `RoomError` if the client must not reconnect.
        """
        rejoins, was_joined = self.should_rejoin, self.state is JoinState.JOINED
        self.state = JoinState.AWAY
        self.unsent.connection_lost()
        if rejoins:
            return 0.0
        seconds = self._reconnect.wait(ended, self._last_error, now)
        if was_joined:
            self.timeline.add_event(Disconnected(ended.code, ended.words, seconds))
        return seconds

    # One method for each kind of frame.

    def _ready(self, frame: ServerFrame, now: float) -> list[Outgoing]:
        self.state = JoinState.JOINED
        self._reconnect.joined(now)
        self.presence.complete(frame.members or 0)
        ready = ready_of(frame, self.presence.names)
        self.limits = ready.limits
        failed = self._resumes and not ready.resumed
        self.timeline.ready(ready, (frame.reason or "unknown") if failed else None)
        return self._refuse_too_long()

    def _line(self, frame: ServerFrame) -> list[Outgoing]:
        line = line_of(frame, live=self.state is JoinState.JOINED, ids=self._ids)
        self.timeline.add_line(line)  # first: if it raises, the line will come again
        entry = self.unsent.stored(line) if isinstance(line, Message) else None
        return [entry] if entry else []

    def _error(self, frame: ServerFrame, text: str, now: float) -> list[Outgoing]:
        self._last_error = frame
        if frame.id is not None and frame.id in self.unsent:
            refusal = Refused(frame.code, text, frame.retry_after_ms)
            answer = self.unsent.refused(frame.id, refusal, now)
            if isinstance(answer, Outgoing):
                return [answer]
            self.timeline.add_hint(answer)
        elif self.state is JoinState.JOINED:
            self.timeline.add_event(Error(frame.code, text, frame.id, frame.retry_after_ms))
        return []

    def _others(self, frame: ServerFrame) -> None:
        change = self.presence.change(frame)
        if self.state is not JoinState.JOINED:
            return
        if change is not None:
            self.timeline.add_event(change)
        elif frame.typing is not None:
            self.timeline.add_hint(Typing(frame.typing))

    def _refuse_too_long(self) -> list[Outgoing]:
        return self.unsent.refuse_longer_than(self.limits.message_chars) if self.limits else []
