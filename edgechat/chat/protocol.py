"""What a client's frames say: the JSON of `docs/protocol.md`, parsed. `outgoing` has the others."""

from __future__ import annotations

import json
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edgechat.chat.errors import Close, Refusal
from edgechat.chat.line import Token, encode_said
from edgechat.chat.visible import shows_nothing

MAX_ID_CHARS = 64


class Hello(NamedTuple):
    """The first frame: who comes, and from where to go on."""

    name: str | None
    v2: bool = False
    since: Token | None = None
    backlog: int | None = None


class Say(msgspec.Struct, frozen=True, gc=False):
    """A message, and its sender's own idempotency key.

    `said` is `line.encode_said` of them.
    """

    text: str
    id: str | None
    said: bytes


class Typing(NamedTuple):
    """Someone types."""


class Ping(NamedTuple):
    """The application's heartbeat: a browser can't send a WebSocket ping."""

    value: int


class _Since(msgspec.Struct, frozen=True):
    seq: Annotated[int, Meta(ge=0)]
    h: str


class _Frame(msgspec.Struct, frozen=True, gc=False):
    name: str | UnsetType | None = UNSET
    message: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    typing: bool | UnsetType = UNSET
    ping: Annotated[int, Meta(ge=-(2**53), le=2**53)] | UnsetType = UNSET
    v: int | UnsetType = UNSET
    since: _Since | UnsetType | None = UNSET
    backlog: int | UnsetType | None = UNSET


_decode = msgspec.json.Decoder(_Frame).decode
_encode = msgspec.json.Encoder().encode


def parse_hello(text: str) -> Hello:
    """The first frame of a connection. Raises `Refusal` (`bad_frame`)."""
    frame = _parse(text)
    if not (frame.message is UNSET and frame.ping is UNSET and frame.typing is UNSET):
        raise bad_frame('Say who you are first: {"name":"…"}.')
    since = frame.since or None
    return Hello(
        name=frame.name or None,
        v2=frame.v is not UNSET and frame.v >= 2,
        since=Token(since.seq, since.h) if since else None,
        backlog=None if frame.backlog is UNSET else frame.backlog,
    )


def plain_say(text: str, max_chars: int) -> Say | None:
    """What nearly every frame is: a good message, with nothing in it that is escaped or unusual.

    So its text is what its JSON says, and what `encode_said` would make of it. None where that
    can't be seen at a glance: then `parse` and `check_message` have the say.
    """
    id: str | None = None
    match text.split('"', 8):
        case ["{", "message", ":", message, "}"]:
            pass
        case ["{", "message", ":", message, ",", "id", ":", key, "}"] if is_id(key):
            id = key
        case _:
            return None
    if "\\" in text or len(message) > max_chars or not message.isprintable():
        return None
    if not message or message.isspace():
        return None
    if not message.isascii() and shows_nothing(message):
        return None
    return Say(message, id, text[1:].encode())


def parse(text: str) -> Say | Typing | Ping:
    """A frame of one who has said hello. Raises `Refusal` (`bad_frame`)."""
    frame = _parse(text)
    if frame.message is not UNSET:
        return checked_say(frame.message, None if frame.id is UNSET else frame.id)
    if frame.ping is not UNSET:
        return Ping(frame.ping)
    if frame.typing is True:
        return Typing()
    raise bad_frame('Expected {"message":"…"}, {"typing":true} or {"ping":1}.')


def parse_post(text: str) -> tuple[str | None, Say]:
    """A message that comes alone, and its sender's name. Raises `Refusal` (`bad_frame`)."""
    frame = _parse(text)
    if frame.message is UNSET:
        raise bad_frame('Expected {"name":"…","message":"…"}.')
    name = frame.name or None
    return name, checked_say(frame.message, None if frame.id is UNSET else frame.id)


def checked_say(text: str, id: str | None) -> Say:
    """A message, encoded. Raises `Refusal` (`bad_frame`) for an `id` that can't be one."""
    if id is not None and not is_id(id):
        raise bad_frame('An "id" has 1 to 64 printable ASCII characters.')
    return say(text, id)


def say(text: str, id: str | None = None) -> Say:
    """A message, encoded."""
    return Say(text, id, encode_said(text, id))


def is_id(text: str) -> bool:
    """Whether `text` may be an idempotency key: 1 to 64 printable ASCII characters."""
    return 0 < len(text) <= MAX_ID_CHARS and text.isascii() and text.isprintable()


def bad_frame(text: str, *, close: Close | None = None) -> Refusal:
    """The refusal of a frame that is not of the protocol."""
    return Refusal("bad_frame", text, close=close)


def _parse(text: str) -> _Frame:
    try:
        frame = _decode(text)
        _check_keys(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        raise bad_frame(f"Not a frame of this protocol: {_reason(error)}.") from None
    return frame


def _check_keys(text: str) -> None:
    """What the typed decoder lets pass: a key that stands twice, a nested value, a surrogate.

    It costs some microseconds; what is plain never comes here.
    """
    pairs = json.loads(text, object_pairs_hook=_no_repeats)
    for key, value in pairs.items():
        if isinstance(value, (dict, list)) and key != "since":
            raise ValueError(f"{key!r} is nested")
    json.dumps(pairs, ensure_ascii=False).encode()


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice")
    return keys


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeError):
        return "text that is not Unicode"
    return str(error)[:200]
