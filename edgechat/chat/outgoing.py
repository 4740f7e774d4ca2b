"""The frames that a server sends: text frames of JSON (`docs/protocol.md`)."""

from __future__ import annotations

from typing import Any

import msgspec

from edgechat.chat.errors import Refusal
from edgechat.chat.line import Token

_encode = msgspec.json.Encoder().encode

_SMALL = 512  # bytes: most messages
_HEADS = [b"\x81%c" % size for size in range(126)]
_HEADS += [b"\x81\x7e%b" % size.to_bytes(2, "big") for size in range(126, _SMALL)]


def text_frame(payload: bytes) -> bytes:
    """A whole text frame from a server: final, not masked (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < _SMALL:
        return _HEADS[size] + payload
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def payload_of(frame: bytes) -> bytes:
    """What `text_frame` was given."""
    size = frame[1]
    return frame[2:] if size < 126 else frame[4:] if size == 126 else frame[10:]


def joined(name: bytes) -> bytes:
    """The frame of a coming. `name` is JSON."""
    return text_frame(b'{"joined":%b}' % name)


def quit(name: bytes) -> bytes:
    """The frame of a going. `name` is JSON."""
    return text_frame(b'{"quit":%b}' % name)


def typing(names: list[str]) -> bytes:
    """The frame that says who types now."""
    return text_frame(_encode({"typing": names}))


def members(count: int) -> bytes:
    """The frame that stands for many comings and goings in a big room."""
    return text_frame(b'{"members":%d}' % count)


def roster(count: int, names: list[str]) -> bytes:
    """The frame that replaces all that a v2 client knows of who is there.

    In a big room `names` are some of them; `count` is of sessions.
    """
    return text_frame(_encode({"members": count, "roster": names}))


def lost(seq: int) -> bytes:
    """The frame in the place of a damaged line."""
    return text_frame(lost_line(seq))


def lost_line(seq: int) -> bytes:
    """What stands for a damaged line."""
    return b'{"seq":%d,"kind":"lost"}' % seq


def pong(value: int) -> bytes:
    """The answer to a ping."""
    return text_frame(b'{"pong":%d}' % value)


def error(refusal: Refusal) -> bytes:
    """The frame that refuses."""
    answer: dict[str, Any] = {"error": refusal.text, "code": refusal.code}
    if refusal.id is not None:
        answer["id"] = refusal.id
    if refusal.retry_after_ms is not None:
        answer["retry_after_ms"] = refusal.retry_after_ms
    return text_frame(_encode(answer))


def ready(
    room: str,
    head: Token,
    members: int,
    limits: dict[str, int],
    recovery: dict[str, Any],
    web: str = "",
) -> bytes:
    """The frame that completes a join. `recovery` is empty, or says whether a resume did.

    `web` is the version of the page's files; empty where the server has none.
    """
    return text_frame(
        _encode(
            {
                "ready": True,
                "room": room,
                "seq": head.seq,
                "h": head.h,
                "members": members,
                **recovery,
                "limits": limits,
                **({"web": web} if web else {}),
            }
        )
    )
