"""Rooms without tasks: sessions that may always speak, batches that are stored at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edgechat.chat import protocol
from edgechat.chat.apply import Outcome, apply
from edgechat.chat.commands import Command, Join, Leave, Speak
from edgechat.chat.draft import Draft, charge, draft, said_before
from edgechat.chat.errors import Refusal
from edgechat.chat.line import Entry, StoredLine, Token, encode_said
from edgechat.chat.seen_ids import SeenIds
from edgechat.chat.session import Session
from edgechat.chat.state import Opened, RoomState
from edgechat.settings import Settings

BASE = Token(0, "0011223344556677")
NOW_MS = 1763880000123


class Counted:
    """An allowance without end that counts what was spent."""

    def __init__(self) -> None:
        self.spent = 0

    def spend(self, now: float) -> float:
        self.spent += 1
        return 0.0

    def refund(self) -> None:
        self.spent -= 1

    def read(self, now: float) -> float:
        return 0.0

    def reserve_read(self, now: float) -> float:
        return 0.0


def a_session(name: str = "alice", *, v2: bool = False) -> Session:
    session = Session(Counted(), Settings())
    session.introduce(name, v2=v2)
    return session


def spent(session: Session) -> int:
    assert isinstance(session.allowance, Counted)
    return session.allowance.spent


def a_room(settings: Settings | None = None, lines: Sequence[bytes] = ()) -> RoomState:
    """A room whose history has these lines, and that knows no id yet."""
    chosen = settings or Settings()
    recent = [Entry(at, line, h_of(line)) for at, line in enumerate(lines, 1)]
    head = Token(recent[-1].seq, h_of(lines[-1]).hex()) if recent else BASE
    opened = Opened(BASE, head, NOW_MS, exists=bool(lines), backlog=recent)
    room = RoomState("lobby", chosen, opened)
    room.seen_ids = SeenIds(chosen.known_ids, {})
    return room


def h_of(line: bytes) -> bytes:
    return bytes.fromhex(json.loads(line)["h"])


def lines(count: int, *, name: bytes = b'"bob"') -> list[bytes]:
    """A history of that many lines: line 7 says `m7`."""
    last = StoredLine(0, bytes.fromhex(BASE.h), 0, b"")
    made = []
    for seq in range(1, count + 1):
        last = last.next(NOW_MS, name, encode_said(f"m{seq}", None))
        made.append(last.line)
    return made


def say(session: Session, text: str, id: str | None = None) -> Speak:
    return Speak(session, protocol.say(text, id))


def drafted(room: RoomState, *commands: Command, now_ms: int = NOW_MS, now: float = 0) -> Draft:
    """All steps up to the draft, where every line that is repeated is in memory."""
    earlier = said_before(room, commands)
    assert earlier is not None
    repeated = {id: room.backlog.line(seq) for id, seq in earlier.items()}
    lines = {id: line for id, line in repeated.items() if line is not None}
    assert len(lines) == len(earlier)
    return draft(room, commands, charge(commands, lines, now), lines, now_ms)


def batch(
    room: RoomState, *commands: Command, now: float = 0, failure: Refusal | None = None
) -> Outcome:
    return apply(room, drafted(room, *commands, now=now), now, failure)


def enter(room: RoomState, *sessions: Session) -> None:
    """Let some in, who want no backlog."""
    batch(room, *(Join(session, room.last.seq) for session in sessions))


def depart(room: RoomState, session: Session) -> Outcome:
    return batch(room, Leave(session))


def told(outcome: Outcome, session: Session) -> list[dict[str, Any]]:
    """What a member gets of a batch."""
    everybody = outcome.v2 if session.v2 else outcome.v1
    return frames(outcome.personal.get(session, everybody))


def frames(data: bytes) -> list[dict[str, Any]]:
    """Text frames of a server (RFC 6455, section 5.2), decoded here by hand."""
    found = []
    while data:
        assert data[0] == 0x81
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= start + size
        found.append(json.loads(data[start : start + size]))
        data = data[start + size :]
    return found


def brief(frame: dict[str, Any]) -> str:
    """A frame in a word, for tests of order: `joined bob`, `42 hi`, `ready`, `error bad_frame`."""
    if "message" in frame:
        return f"{frame['seq']} {frame['message']}"
    if "code" in frame:
        return f"error {frame['code']}"
    if "ready" in frame:
        return "ready"
    if "kind" in frame:
        return f"{frame['seq']} {frame['kind']}"
    return " ".join(f"{key} {value}" for key, value in frame.items())


def briefs(outcome: Outcome, session: Session) -> list[str]:
    return [brief(frame) for frame in told(outcome, session)]
