"""The first steps of a batch: which messages were said before, who pays, and what each becomes.

`said_before` finds the ids that are repeated, `charge` takes from allowances (once for a batch),
and `draft` is pure: it may be made again from another head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from edgechat.chat.commands import Command, Speak
from edgechat.chat.errors import Refusal
from edgechat.chat.line import StoredLine, parse_line
from edgechat.chat.state import RoomState

# What a message becomes: the next line; the line that it repeats, as bytes; or a refusal.
FinalVerdict = StoredLine | bytes | Refusal


class Dependent(msgspec.Struct, frozen=True):
    """It repeats a message of the same batch: a verdict only if that one gets stored."""

    verdict: FinalVerdict


Verdict = FinalVerdict | Dependent


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A batch, what each of its messages becomes, in their order, and what is to be stored."""

    commands: Sequence[Command]
    verdicts: Sequence[Verdict]
    lines: Sequence[bytes]  # without newlines


_LATER = 1.0  # seconds after which a repeat that was not looked up is worth another try

NO_SEQS: Mapping[str, int] = {}
NO_LINES: Mapping[str, bytes | None] = {}


def said_before(room: RoomState, commands: Sequence[Command]) -> Mapping[str, int] | None:
    """The ids of these messages that the room has seen, and the `seq` of each one's line.

    None: there are ids, and the room's own have to be read from its history first.
    """
    found: dict[str, int] | None = None
    for command in commands:
        if type(command) is Speak and (id := command.say.id) is not None:
            if room.seen_ids is None:
                return None
            seq = room.seen_ids.find(id, room.last.seq)
            if seq is not None:
                found = found or {}
                found[id] = seq
    return found or NO_SEQS


def charge(
    commands: Sequence[Command], repeated: Mapping[str, bytes | None], now: float
) -> list[float]:
    """Take each message's worth from its sender's allowance; a repeat costs nothing.

    Returns for each command 0.0, or the seconds that its sender has to wait. `repeated` has the
    lines of messages that were said before, by id; `now` is in seconds of a clock that never goes
    back.
    """
    waits: list[float] = []
    paid: set[str] | None = None
    for command in commands:
        if type(command) is not Speak:
            waits.append(0.0)
        elif (id := command.say.id) is None:
            waits.append(command.session.allowance.spend(now))
        else:
            paid = paid or set()
            free = id in repeated or id in paid
            wait = 0.0 if free else command.session.allowance.spend(now)
            waits.append(wait)
            if not wait:
                paid.add(id)
    return waits


def draft(
    room: RoomState,
    commands: Sequence[Command],
    waits: Sequence[float],
    repeated: Mapping[str, bytes | None],
    now_ms: int,
) -> Draft:
    """Decide what each message becomes: a repeat, else refused, else the next line.

    `waits` is what `charge` returned, and `repeated` what it was given: with None for a line that
    was not looked up, as there were too many of them. `now_ms` is Unix time.
    """
    last = room.last
    verdicts: list[Verdict] = []
    lines: list[bytes] = []
    new: dict[str, bytes] | None = None  # the lines of this batch, by id
    for at, command in enumerate(commands):  # `zip` would cost more than all else here
        if type(command) is not Speak:
            continue
        say = command.say
        id = say.id
        if id is not None and (again := _again(command, id, new, repeated)) is not None:
            verdicts.append(again)
        elif waits[at] > 0:
            verdicts.append(rate_limited(waits[at], id))
        else:
            last = last.next(now_ms, command.session.name_json, say.said)
            verdicts.append(last)
            lines.append(last.line)
            if id is not None:
                new = new or {}
                new[id] = last.line
    return Draft(commands, verdicts, lines)


def rate_limited(wait: float, id: str | None) -> Refusal:
    """The refusal of a sender who has to wait that many seconds."""
    ms = max(1, round(wait * 1000))
    return Refusal(
        "rate_limited",
        f"You are sending too fast. Wait {max(1, round(wait))} s and send it again.",
        id=id,
        retry_after_ms=ms,
    )


def _again(
    speak: Speak, id: str, new: Mapping[str, bytes] | None, repeated: Mapping[str, bytes | None]
) -> Verdict | None:
    """What becomes of a message whose id was said before; None where it was not."""
    if new is not None and id in new:
        return Dependent(_repeat(speak, new[id]))
    return _repeat(speak, repeated[id]) if id in repeated else None


def _repeat(speak: Speak, line: bytes | None) -> bytes | Refusal:
    """The same message again is answered by its line; another one under its `id` is refused."""
    if line is None:
        return rate_limited(_LATER, speak.say.id)
    said = parse_line(line)
    if (said.name, said.message) == (speak.session.name, speak.say.text):
        return line
    return Refusal(
        "id_conflict",
        "Another message was sent with this id: give each message its own.",
        id=speak.say.id,
    )
