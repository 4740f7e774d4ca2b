"""The wire's JSON, both ways. `docs/protocol.md` has the frames."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from edgechat.chat.line import NO_HASH, Token
from edgechat.client.events import Limits, Line, Lost, Message, Ready, UnknownRecord

MAX_TEXT = 500  # characters of an HTTP error that are kept


class BadFrame(ValueError):
    """What came is not a frame of this protocol."""


class ServerFrame(msgspec.Struct, frozen=True, gc=False):
    """Any frame from the server: which keys are there says which it is."""

    seq: int | None = None
    timestamp: int = 0
    name: str = ""
    message: str | None = None
    id: str | None = None
    h: str | None = None
    kind: str | None = None
    ready: bool = False
    room: str = ""
    members: int | None = None
    roster: tuple[str, ...] | None = None
    recovered: bool | None = None
    reason: str | None = None
    limits: Limits | None = None
    joined: str | None = None
    quit: str | None = None
    typing: tuple[str, ...] | None = None
    error: str | None = None
    code: str = ""
    retry_after_ms: int | None = None
    pong: int | None = None


class _LaterKind(msgspec.Struct, frozen=True):
    seq: int
    kind: str
    h: str | None = None


class HttpError(msgspec.Struct, frozen=True):
    """An error's answer over HTTP. `code` is empty where it is not EdgeChat's own."""

    error: str
    code: str = ""


_decode = msgspec.json.Decoder(ServerFrame).decode
_decode_error = msgspec.json.Decoder(HttpError).decode
_decode_later_kind = msgspec.json.Decoder(_LaterKind).decode
_encode = msgspec.json.Encoder().encode


def decode(data: str | bytes) -> ServerFrame:
    """Raises `BadFrame`. Keys that are unknown are ignored: they are of a later protocol."""
    try:
        return _decode(data)
    except msgspec.ValidationError as error:
        return _of_later_kind(data, error)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame(str(error)) from None


def _of_later_kind(data: str | bytes, why: Exception) -> ServerFrame:
    """A record of a kind to come may use the keys that we know otherwise."""
    try:
        record = _decode_later_kind(data)
    except msgspec.DecodeError:
        raise BadFrame(str(why)) from None
    return ServerFrame(seq=record.seq, kind=record.kind, h=record.h)


def decode_error(body: bytes) -> HttpError:
    """What an HTTP answer other than 2xx says. Anything but EdgeChat's JSON is only a text."""
    try:
        return _decode_error(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return HttpError(body.decode(errors="replace").strip()[:MAX_TEXT])


def line_of(frame: ServerFrame, *, live: bool, ids: Container[object]) -> Line:
    """The line that a frame with a `seq` is; ours if its id is in `ids`. Raises `BadFrame`."""
    if frame.seq is None or frame.seq < 1:
        raise BadFrame(f"seq is {frame.seq}")
    if frame.kind == "lost":
        return Lost(frame.seq)
    if frame.h is None or (frame.kind is None and frame.message is None):
        raise BadFrame(f"line {frame.seq} is not whole")
    if frame.kind is not None or frame.message is None:
        return UnknownRecord(frame.seq, frame.kind or "", frame.h)
    return Message(
        seq=frame.seq,
        timestamp=frame.timestamp,
        name=frame.name,
        message=frame.message,
        h=frame.h,
        id=frame.id,
        live=live,
        mine=frame.id in ids,
    )


def ready_of(frame: ServerFrame, roster: tuple[str, ...]) -> Ready:
    """The event that a `ready` frame is, with the names that were told before it."""
    return Ready(
        room=frame.room,
        seq=frame.seq or 0,
        h=frame.h or NO_HASH,
        members=frame.members or 0,
        roster=roster,
        resumed=frame.recovered is True,
        limits=frame.limits or Limits(),
    )


def hello(name: str, backlog: int, since: Token | None) -> str:
    """The first frame. Raises `UnicodeEncodeError` (a `ValueError`) for a lone surrogate."""
    frame: dict[str, object] = {"name": name, "v": 2, "backlog": backlog}
    if since is not None:
        frame["since"] = {"seq": since.seq, "h": since.h}
    return _encode(frame).decode()


def say(text: str, id: str) -> str:
    """A message with its idempotency key. Raises `UnicodeEncodeError` for a lone surrogate."""
    return _encode({"message": text, "id": id}).decode()


def ping(number: int) -> str:
    """The liveness."""
    return f'{{"ping":{number}}}'


TYPING = '{"typing":true}'
