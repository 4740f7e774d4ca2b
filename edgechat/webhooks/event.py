"""What a target is sent of a line: an id, and a body in the form that Standard Webhooks advises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from edgechat.chat.line import Damaged, parse_line
from edgechat.rooms.follow import Start
from edgechat.webhooks.hook import Hook

_BEFORE_H = b',"h":"'  # stands 24 bytes before a line's end
_MESSAGE, _RESET = "message", "reset"  # the types that are not a line's `kind`
_LATEST = 253_402_300_799_000  # ms: the year 9999, the last that a date can have


class Event(NamedTuple):
    """One request's worth. `seq` and `h` are the position once the target has it."""

    id: str
    body: bytes
    seq: int
    h: str | None


def line_event(hook: Hook, line: bytes, now_ms: int) -> Event:
    """Of a line, which is in the body byte for byte; a damaged one is `{"seq","kind":"lost"}`."""
    seq = int(line[7 : line.index(b",", 7)])  # after `{"seq":`
    h = line[-18:-2].decode() if line[-24:-18] == _BEFORE_H else None
    kind, stamp = _MESSAGE, now_ms
    try:
        record = parse_line(line)
    except Damaged:
        kind = "lost" if h is None else _MESSAGE
    else:
        kind, stamp = record.kind or _MESSAGE, record.timestamp
    id = f"{hook.id}:{seq}:{h or 'lost'}"
    return Event(id, _body(hook, kind, stamp, line), seq, h)


def reset_event(hook: Hook, start: Start, now_ms: int) -> Event:
    """Says that the lines which follow do not go on from those that were sent before."""
    head = start.head
    data = msgspec.json.encode({"reason": start.reset, "seq": head.seq, "h": head.h})
    id = f"{hook.id}:reset:{head.seq}:{head.h}"
    h = None if start.token is None else start.token.h
    return Event(id, _body(hook, _RESET, now_ms, data), start.after, h)


def _body(hook: Hook, kind: str, stamp: int, data: bytes) -> bytes:
    seconds = min(max(stamp, 0), _LATEST) / 1_000
    at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    head = {"type": kind, "timestamp": at.replace("+00:00", "Z"), "room": hook.room}
    return msgspec.json.encode(head)[:-1] + b',"data":' + data + b"}"
