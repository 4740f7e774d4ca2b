"""What happens in a room, as its client sees it: the vocabulary of `async for event in room`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What this server allows, as its `ready` said."""

    message_chars: int = 2_000
    name_chars: int = 32
    interval_ms: int = 0
    grace_ms: int = 0


@dataclass(frozen=True, slots=True)
class Info:
    """A room as it is now: `seq` and `h` are its head, `members` counts sessions."""

    room: str
    seq: int
    h: str
    members: int


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the room's history: `timestamp` in ms of Unix time, `h` 16 hex digits.

    It is `live` if it was said just now, while we were in the room; not from the backlog, a
    resume or a history page. It is `mine` if this client said it: by its `id`, so that after a
    restart it is known if `open_room` was given the same `key`. The same line is equal whichever
    way it came.
    """

    seq: int
    timestamp: int
    name: str
    message: str
    h: str
    id: str | None = None
    live: bool = field(default=False, compare=False)
    mine: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """Line `seq` was said, but the server can't read it any more, or has not got it."""

    seq: int


@dataclass(frozen=True, slots=True)
class UnknownRecord:
    """A line of a kind that this client does not know: it takes its `seq` all the same."""

    seq: int
    kind: str
    h: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A person joined: the first session under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Quit:
    """A person left: the last session under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """How many sessions are here now: in a big room this stands for many comings and goings."""

    count: int


@dataclass(frozen=True, slots=True)
class Typing:
    """Who types now. A name holds for 5 s if it is not told again: none says that one stops."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Error:
    """The server refused something that no `say` is waiting for. `code` is for programs."""

    code: str
    text: str
    id: str | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """The server refused message `id` for now; the `say` goes on in `retry_in` seconds.

    `code`: `rate_limited` (the allowance is spent), `storage_unavailable`, `unavailable`.
    Whatever else is to be said waits as long.
    """

    id: str
    code: str
    text: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, `code` says why (a close code, or 1006: nothing was said).

    The room comes back by itself, first tried in `retry_in` seconds; a `Ready` will say so.
    """

    code: int
    text: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The lines before this event and those after it do not join: some lie between, unseen.

    `reason`: `forked` (another history: `seq` may begin anew), `trimmed` (what was missed is
    no longer kept), `far` (too much was missed). The usual backlog follows.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The room is joined: for the first time, or again after a `Disconnected`.

    All that was said before the join was given out before this event. `roster` is who is here;
    `seq` and `h` are the room's head.
    """

    room: str
    seq: int
    h: str
    members: int
    roster: tuple[str, ...] = ()
    resumed: bool = False
    limits: Limits = field(default_factory=Limits)


Line = Message | Lost | UnknownRecord
Event = Line | Joined | Quit | Members | Typing | Error | Delayed | Disconnected | Reset | Ready
