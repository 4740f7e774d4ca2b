"""The first step of a batch: what each message becomes. It changes nothing but allowances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from edgechat.chat.commands import Command, Speak
from edgechat.chat.errors import Refusal
from edgechat.chat.line import StoredLine, parse_line
from edgechat.chat.state import RoomState

Final = StoredLine | Refusal | bytes  # bytes: a repeat, answered by the line it repeats


class Dependent(msgspec.Struct, frozen=True):
    """It repeats a message of the same batch: a verdict only if that one gets stored."""

    verdict: Final


Verdict = Final | Dependent


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A batch, what each of its messages becomes, in their order, and what is to be stored."""

    commands: Sequence[Command]
    verdicts: Sequence[Verdict]
    lines: Sequence[bytes]  # without newlines


def repeats(room: RoomState, commands: Sequence[Command]) -> set[int]:
    """The lines that `draft` has to be given: repeated in this batch, and not in memory."""
    known, head, found = room.seen_ids, room.last.seq, set()
    for command in commands:
        if type(command) is Speak and (id := command.say.id) is not None and known is not None:
            seq = known.find(id, head)
            if seq is not None and room.backlog.line(seq) is None:
                found.add(seq)
    return found


def draft(
    room: RoomState, commands: Sequence[Command], now_ms: int, now: float, old: Mapping[int, bytes]
) -> Draft:
    """Decide what each message becomes: a known id, else allowance, else the next line.

    `now_ms` is Unix time; `now`, in seconds, a clock that never goes back; `old` has the lines
    that `repeats` asked for.
    """
    last = room.last
    verdicts: list[Verdict] = []
    lines: list[bytes] = []
    new: dict[str, bytes] = {}  # the lines of this batch, by id
    for command in commands:
        if type(command) is not Speak:
            continue
        session, say, id = command.session, command.say, command.say.id
        if id is not None and (again := _again(room, command, last.seq, new, old)) is not None:
            verdicts.append(again)
        elif (wait := session.allowance.spend(now)) > 0:
            verdicts.append(rate_limited(wait, id))
        else:
            last = last.next(now_ms, session.name_json, say.said)
            verdicts.append(last)
            lines.append(last.line)
            if id is not None:
                new[id] = last.line
    return Draft(commands, verdicts, lines)


def rate_limited(wait: float, id: str | None) -> Refusal:
    """The refusal of one who has to wait that many seconds."""
    ms = max(1, round(wait * 1000))
    return Refusal(
        "rate_limited",
        f"You are sending too fast. Wait {max(1, round(wait))} s and send it again.",
        id=id,
        retry_after_ms=ms,
    )


def _again(
    room: RoomState, speak: Speak, head: int, new: Mapping[str, bytes], old: Mapping[int, bytes]
) -> Verdict | None:
    """What becomes of a message whose id was said before; None where it was not."""
    id = speak.say.id
    assert id is not None
    if id in new:
        return Dependent(_repeat(speak, new[id]))
    seq = None if room.seen_ids is None else room.seen_ids.find(id, head)
    line = None if seq is None else room.backlog.line(seq) or old.get(seq)
    return None if line is None else _repeat(speak, line)


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
