"""Lines as a stream: server-sent events (the HTML standard, section 9.2), or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from edgechat.chat.line import Token
from edgechat.http.answers import NDJSON
from edgechat.rooms.fanout import Encode
from edgechat.rooms.follow import Start

EVENTS = "text/event-stream"
_RETRY = b"retry: 2000\n\n"  # ms, after which a browser reconnects
_BEFORE_H = b',"h":"'  # stands 24 bytes before a line's end


class FollowerFeed(NamedTuple):
    """How a follower is told of lines."""

    mimetype: str
    encode: Encode
    begin: Callable[[Start], bytes]  # what comes before the first line
    beat: bytes  # says that the server is there, and nothing else


def as_events(lines: Sequence[bytes]) -> bytes:
    """An event for each line, known by its token. A damaged line has none."""
    parts: list[bytes] = []
    for line in lines:
        if line[-24:-18] == _BEFORE_H:
            seq = line[7 : line.index(b",", 7)]  # after `{"seq":`
            parts.append(b"id: %b:%b\ndata: %b\n\n" % (seq, line[-18:-2], line))
        else:
            parts.append(b"data: %b\n\n" % line)
    return b"".join(parts)


def as_ndjson(lines: Sequence[bytes]) -> bytes:
    """The lines, as they are in the file."""
    return b"".join([line + b"\n" for line in lines])


def token_text(token: Token) -> str:
    """A token as it stands in `id:` and `since`."""
    return f"{token.seq}:{token.h}"


def _begin_events(start: Start) -> bytes:
    """The place itself: who is cut off before the first line can go on from there."""
    id = b"" if start.token is None else f"id: {token_text(start.token)}\n".encode()
    if start.reset is None:
        return id + _RETRY
    return b"event: reset\n%bdata: %b\n\n%b" % (id, _reset(start), _RETRY)


def _begin_ndjson(start: Start) -> bytes:
    return b"" if start.reset is None else _reset(start, event="reset") + b"\n"


def _reset(start: Start, **keys: str) -> bytes:
    reason = {**keys, "reason": start.reset, "seq": start.head.seq, "h": start.head.h}
    return msgspec.json.encode(reason)


AS_EVENTS = FollowerFeed(EVENTS, as_events, _begin_events, b":\n\n")
AS_NDJSON = FollowerFeed(NDJSON, as_ndjson, _begin_ndjson, b"\n")
