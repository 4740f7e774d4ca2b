"""The rules of being in a room, without I/O: what came goes in, what to do comes out.

A session outlives its connections:

    AWAY ── connected() ──▶ JOINING ── ready ──▶ JOINED
      ▲                        │                    │
      └──── disconnected() ────┴────────────────────┘
"""

from __future__ import annotations

from enum import Enum, auto

from edgechat.chat.line import NO_HASH, Token
from edgechat.client import frames
from edgechat.client.backoff import Backoff
from edgechat.client.closes import Ended
from edgechat.client.comeback import Comeback
from edgechat.client.cursor import line_of
from edgechat.client.errors import Refused
from edgechat.client.events import (
    Disconnected,
    Error,
    Event,
    Limits,
    Message,
    Ready,
    Typing,
)
from edgechat.client.frames import Frame
from edgechat.client.heartbeat import Heartbeat
from edgechat.client.options import Options
from edgechat.client.outbox import Entry, Outbox
from edgechat.client.roster import Roster
from edgechat.client.timeline import Timeline
from edgechat.client.typist import Typist


class Phase(Enum):
    """Where a session is with its connection."""

    AWAY = auto()
    JOINING = auto()
    JOINED = auto()


class Session:
    """One name in one room. `now` is in seconds of one clock, whichever that is."""

    def __init__(
        self, name: str, backlog: int, since: Token | None, options: Options, now: float
    ) -> None:
        self._name = name
        self._backlog = backlog
        self._resumes = False
        self._last_error: Frame | None = None
        self._comeback = Comeback(options, now)
        self._heartbeat = Heartbeat(options.ping_interval, options.ping_timeout)
        self._typist = Typist()
        self.timeline = Timeline(options.buffer, since)
        self.outbox = Outbox(
            options.window, Backoff(options.backoff_base, options.backoff_cap, options.random)
        )
        self.roster = Roster()
        self.phase = Phase.AWAY
        self.limits: Limits | None = None  # None: never joined yet

    # What the user does.

    def say(self, text: str, id: str, *, retry: bool) -> Entry:
        """Put a message in the outbox. Raises `ValueError`, or `Refused` if it is too long."""
        entry = self.outbox.add(text, id, retry=retry)
        self._refuse_too_long()
        if isinstance(entry.answer, Refused):
            raise entry.answer
        return entry

    def type(self, now: float) -> None:
        """Show to the others that one types; forgotten where there is no connection."""
        if self.phase is Phase.JOINED:
            self._typist.type(now)

    def take(self) -> Event:
        """The next event. Raises `IndexError` if there is none."""
        return self.timeline.feed.take()

    # What the connection should do.

    @property
    def may_read(self) -> bool:
        """Whether to read on: there is room in the feed, or someone waits for an answer."""
        return not self.timeline.feed.is_full or len(self.outbox) > 0

    @property
    def should_rejoin(self) -> bool:
        """Whether events overflowed, and there is room for them now."""
        behind = self.timeline.is_behind and not self.timeline.feed
        return behind and self.phase is Phase.JOINED

    def due(self, now: float) -> list[str]:
        """The frames to send now, in order; they count as sent."""
        number = self._heartbeat.ping(now)
        pings = [] if number is None else [frames.ping(number)]
        if self.phase is not Phase.JOINED:
            return pings
        return [
            *self.outbox.due(now),
            *([frames.TYPING] if self._typist.is_due(now) else []),
            *pings,
        ]

    @property
    def wake_at(self) -> float:
        """When `due` or `is_dead` may have changed, if nothing happens before."""
        at = self._heartbeat.wake_at
        if self.phase is Phase.JOINED:
            at = min(at, self.outbox.wake_at, self._typist.wake_at)
        return at

    def is_dead(self, now: float) -> bool:
        """Whether to drop the connection: a ping has gone unanswered for too long."""
        return self._heartbeat.is_dead(now)

    # What the connection tells.

    def connected(self, now: float) -> str:
        """A connection is open: returns the hello, to be sent first."""
        self.phase = Phase.JOINING
        self._last_error = None
        self._resumes = self.timeline.token is not None
        self._heartbeat.heard(now)
        self.timeline.begin()
        self.roster.begin()
        return frames.hello(self._name, self._backlog, self.timeline.token)

    def paused(self) -> None:
        """Reading stops: the server's silence says nothing now."""
        self._heartbeat.pause()

    def unpaused(self, now: float) -> None:
        """Reading goes on."""
        self._heartbeat.heard(now)

    def received(self, data: str | bytes, now: float) -> list[Entry]:
        """A frame came: returns the messages that it answers.

        Raises `BadFrame`: drop the connection; the next one resumes.
        """
        self._heartbeat.heard(now)
        frame = frames.decode(data)
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

        Raises `RoomError` if one must not come back.
        """
        rejoins, was_joined = self.should_rejoin, self.phase is Phase.JOINED
        self.phase = Phase.AWAY
        self.outbox.unsend()
        if rejoins:
            return 0.0
        seconds = self._comeback.wait(ended, self._last_error, now)
        if was_joined:
            self.timeline.tell(Disconnected(ended.code, ended.text, seconds))
        return seconds

    # One method for each kind of frame.

    def _ready(self, frame: Frame, now: float) -> list[Entry]:
        self.phase = Phase.JOINED
        self._comeback.joined(now)
        self.limits = frame.limits or Limits()
        self.roster.complete(frame.members or 0)
        ready = Ready(
            room=frame.room,
            seq=frame.seq or 0,
            h=frame.h or NO_HASH,
            members=self.roster.members,
            roster=self.roster.names,
            resumed=frame.recovered is True,
            limits=self.limits,
        )
        failed = self._resumes and not ready.resumed
        self.timeline.ready(ready, (frame.reason or "unknown") if failed else None)
        return self._refuse_too_long()

    def _line(self, frame: Frame) -> list[Entry]:
        line = line_of(frame)
        self.timeline.line(line)  # first: if it raises, the line will come again
        entry = self.outbox.stored(line) if isinstance(line, Message) else None
        return [entry] if entry else []

    def _error(self, frame: Frame, text: str, now: float) -> list[Entry]:
        self._last_error = frame
        if frame.id is not None and frame.id in self.outbox:
            refusal = Refused(frame.code, text, frame.retry_after_ms)
            entry = self.outbox.refused(frame.id, refusal, now)
            return [entry] if entry else []
        if self.phase is Phase.JOINED:
            self.timeline.tell(Error(frame.code, text, frame.id, frame.retry_after_ms))
        return []

    def _others(self, frame: Frame) -> None:
        change = self.roster.change(frame)
        if self.phase is not Phase.JOINED:
            return
        if change is not None:
            self.timeline.tell(change)
        elif frame.typing is not None:
            self.timeline.hint(Typing(frame.typing))

    def _refuse_too_long(self) -> list[Entry]:
        return self.outbox.refuse_longer_than(self.limits.message_chars) if self.limits else []
