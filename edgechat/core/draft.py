"""The first step of a batch: what each message becomes. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edgechat.core.chatroom import Chatroom
from edgechat.core.commands import Command, Speak
from edgechat.core.errors import Refusal
from edgechat.core.record import NewLine, parse_line

Final = NewLine | Refusal | bytes  # bytes: a repeat, answered by the line it repeats


class Hinged(NamedTuple):
    """It repeats a message of the same batch: a verdict only if that one gets stored."""

    verdict: Final


Verdict = Final | Hinged


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch, and what each of its messages becomes, in their order."""

    commands: Sequence[Command]
    verdicts: Sequence[Verdict]

    @property
    def lines(self) -> list[bytes]:
        """What is to be stored; without newlines."""
        return [verdict.line for verdict in self.verdicts if isinstance(verdict, NewLine)]


def repeats(room: Chatroom, commands: Sequence[Command]) -> set[int]:
    """The lines that `draft` has to be given: repeated in this batch, and not in memory."""
    known, head = room.known, room.last.seq
    found = {
        known.find(command.say.id, head)
        for command in commands
        if type(command) is Speak and known is not None and command.say.id is not None
    }
    return {seq for seq in found if seq is not None and room.recent.line(seq) is None}


def draft(
    room: Chatroom, commands: Sequence[Command], now_ms: int, now: float, old: Mapping[int, bytes]
) -> Draft:
    """Decide what each message becomes: a known id, else allowance, else the next line.

    `now_ms` is Unix time; `now`, in seconds, a clock that never goes back; `old` has the lines
    that `repeats` asked for.
    """
    drafting = _Drafting(room, old)
    verdicts = [
        drafting.judge(command, now_ms, now) for command in commands if type(command) is Speak
    ]
    return Draft(commands, verdicts)


class _Drafting:
    """The messages of one batch, one after another, on top of a room that stays as it is."""

    def __init__(self, room: Chatroom, old: Mapping[int, bytes]) -> None:
        self._room = room
        self._last = room.last
        self._old = old
        self._new: dict[str, bytes] = {}  # lines of this batch, by id

    def judge(self, speak: Speak, now_ms: int, now: float) -> Verdict:
        session, say = speak
        if say.id is not None:
            if say.id in self._new:
                return Hinged(_repeat(speak, self._new[say.id]))
            if (line := self._said(say.id)) is not None:
                return _repeat(speak, line)
        wait = session.allowance.spend(now)
        if wait > 0:
            return rate_limited(wait, say.id)
        self._last = self._last.next(now_ms, session.name_json, say.text, say.id)
        if say.id is not None:
            self._new[say.id] = self._last.line
        return self._last

    def _said(self, id: str) -> bytes | None:
        """The line that was said under `id` before this batch."""
        room = self._room
        seq = room.known.find(id, self._last.seq) if room.known else None
        return None if seq is None else room.recent.line(seq) or self._old.get(seq)


def rate_limited(wait: float, id: str | None) -> Refusal:
    """The refusal of one who has to wait that many seconds."""
    ms = max(1, round(wait * 1000))
    return Refusal(
        "rate_limited",
        f"You are sending too fast. Wait {max(1, round(wait))} s and send it again.",
        id=id,
        retry_after_ms=ms,
    )


def _repeat(speak: Speak, line: bytes) -> Final:
    """The same message again is answered by its line; another one under its `id` is refused."""
    said = parse_line(line)
    if (said.name, said.message) == (speak.session.name, speak.say.text):
        return line
    return Refusal(
        "id_conflict",
        "Another message was sent with this id: give each message its own.",
        id=speak.say.id,
    )
