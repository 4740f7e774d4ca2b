"""The last step of a batch in the state: its lines are stored, or refused, and may be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from edgechat.chat import outgoing
from edgechat.chat.commands import Join, Leave, Speak, Type
from edgechat.chat.draft import Dependent, Draft, FinalVerdict, Verdict
from edgechat.chat.errors import Code, Refusal
from edgechat.chat.kinds import is_for
from edgechat.chat.line import StoredLine
from edgechat.chat.recipients import Recipients
from edgechat.chat.session import Session
from edgechat.chat.state import RoomState

_NOBODY: Mapping[Session, bytes] = {}


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent: whole frames, to all v1 or v2 members, but to some their own."""

    v1: bytes
    v2: bytes
    personal: Mapping[Session, bytes]
    replies: Sequence[tuple[Session, bytes | Refusal]]  # to sessions that are not members
    admitted: Sequence[Join]
    behind: Sequence[Join]  # the room went on meanwhile: they have to catch up first
    refused: Sequence[Code] = ()  # of each message that is refused
    lines: Sequence[bytes] = ()  # that were stored, for followers


def apply(room: RoomState, draft: Draft, now: float, failure: Refusal | None = None) -> Outcome:
    """Change the room as the batch says, and return what is to be sent.

    `failure` says why the draft's lines could not be stored: nobody sees them, and each sender
    is told. `now` is in seconds of a clock that never goes back.
    """
    if failure is None and len(draft.lines) == len(draft.commands) and not room.roster.stale:
        members = room.roster.sessions
        for command in draft.commands:
            if command.session not in members:
                break
        else:  # members said things and nothing else happened, as in nearly every batch
            return _talk(room, draft)
    applying = _Applying(room, now, failure)
    verdicts = iter(draft.verdicts)
    for command in draft.commands:
        if type(command) is Speak:
            applying.speak(command, next(verdicts))
        elif type(command) is Join:
            applying.join(command)
        elif type(command) is Leave:
            applying.leave(command)
        elif type(command) is Type:
            applying.type(command)
    return applying.outcome(() if failure else draft.lines)


def _talk(room: RoomState, draft: Draft) -> Outcome:
    """All get the same, but for what v1 clients do not know; nothing is told besides."""
    frames = []
    are_messages = True
    for at, command in enumerate(draft.commands):
        line = draft.verdicts[at]
        assert type(command) is Speak
        assert type(line) is StoredLine
        frame = outgoing.text_frame(line.line)
        room.store(line, command.say.id, frame)
        if room.typists is not None:
            room.stop_typing(command.session.name)
        frames.append(frame)
        if line.kind:
            are_messages = False
    blob = for_v1 = b"".join(frames)
    if not are_messages:
        for_v1 = b"".join(frame for frame in frames if is_for(frame, v2=False))
    return Outcome(for_v1, blob, _NOBODY, (), (), (), lines=draft.lines)


class _Applying:
    """One batch as it is told: to v1, to v2, and to some alone."""

    def __init__(self, room: RoomState, now: float, failure: Refusal | None) -> None:
        self._room = room
        self._now = now
        self._failure = failure
        self._v1: Recipients[Session] = Recipients()
        self._v2: Recipients[Session] = Recipients()
        self._replies: list[tuple[Session, bytes | Refusal]] = []
        self._admitted: list[Join] = []
        self._behind: list[Join] = []
        self._refused: list[Code] = []

    def speak(self, speak: Speak, verdict: Verdict) -> None:
        session, say = speak.session, speak.say
        verdict = self._final(speak, verdict)
        if isinstance(verdict, Refusal):
            self._refused.append(verdict.code)
        if isinstance(verdict, StoredLine):
            frame = outgoing.text_frame(verdict.line)
            self._room.store(verdict, say.id, frame)
            self._room.stop_typing(session.name)
            self._v2.broadcast(frame)
            if not verdict.kind or is_for(verdict.line, v2=False):
                self._v1.broadcast(frame)
            if session not in self._room.roster.sessions:
                self._replies.append((session, verdict.line))
            return
        session.charge(1.0)  # no allowance has paid for it
        if session not in self._room.roster.sessions:
            self._replies.append((session, verdict))
        elif isinstance(verdict, bytes):
            self._stream_of(session).send_to(session, outgoing.text_frame(verdict))
        else:
            self._stream_of(session).send_to(session, outgoing.error(verdict))

    def join(self, join: Join) -> None:
        room, session = self._room, join.session
        if join.after < room.backlog.start:
            self._behind.append(join)
            return
        stream = self._stream_of(session)
        roster = room.roster
        greeting = (
            roster.greeting(v2=session.v2)
            if join.told is None
            else roster.change_since(join.told, v2=session.v2)
        )
        stream.send_to(session, greeting + room.backlog.after(join.after, v2=session.v2))
        stream.start(session)
        self._notice(*roster.add(session))
        stream.send_to(session, room.ready(join))
        self._admitted.append(join)

    def leave(self, leave: Leave) -> None:
        self._room.stop_typing(leave.session.name)
        self._notice(*self._room.roster.remove(leave.session))

    def type(self, command: Type) -> None:
        if not self._room.roster.big:
            self._v2.broadcast(self._room.type(command.session.name, self._now))

    def outcome(self, lines: Sequence[bytes]) -> Outcome:
        if count := self._room.roster.count(self._now):
            self._v2.broadcast(count)
        return Outcome(
            v1=self._v1.for_all(),
            v2=self._v2.for_all(),
            personal=self._v1.for_some() | self._v2.for_some(),
            replies=self._replies,
            admitted=self._admitted,
            behind=self._behind,
            refused=self._refused,
            lines=lines,
        )

    def _notice(self, v1: bytes, v2: bytes) -> None:
        if v1:
            self._v1.broadcast(v1)
        if v2:
            self._v2.broadcast(v2)

    def _stream_of(self, session: Session) -> Recipients[Session]:
        return self._v2 if session.v2 else self._v1

    def _final(self, speak: Speak, verdict: Verdict) -> FinalVerdict:
        """The final verdict. A message that was not stored is refunded."""
        if self._failure is not None and isinstance(verdict, (StoredLine, Dependent)):
            if isinstance(verdict, StoredLine):
                speak.session.allowance.refund()
            return Refusal(self._failure.code, self._failure.text, id=speak.say.id)
        return verdict.verdict if isinstance(verdict, Dependent) else verdict
