"""The rules of following a room by events, without I/O: events become a WebSocket's frames."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from edgechat.chat.line import Token
from edgechat.client.room_requests import RoomHead
from edgechat.client.server_sent import ServerSent

FAR = 10_000  # lines behind: a token is not resumed from, as by a WebSocket


class _Reset(msgspec.Struct, frozen=True):
    """The data of a `reset`: why a token does not resume, and the room's head."""

    reason: str
    seq: int
    h: str


class _Line(msgspec.Struct, frozen=True):
    seq: int


_encode = msgspec.json.Encoder().encode
_reset = msgspec.json.Decoder(_Reset).decode
_line = msgspec.json.Decoder(_Line).decode


def encode(**frame: object) -> str:
    """A frame of the server's."""
    return _encode(frame).decode()


def seq_of(line: bytes) -> int:
    """Raises `msgspec.DecodeError`."""
    return _line(line).seq


class Following:
    """One join, and what comes after it. `Token(n, "")` is a place whose digest is not known.

    The server's first event says the place, or is a line; so `ready` comes after the last line
    that was there when the join began.
    """

    def __init__(self, name: str, head: RoomHead, backlog: int, since: Token | None) -> None:
        self._name = name
        self._head = head
        self._goal = Token(head.seq, head.h)
        self._is_ready = False
        self._resumes = since is not None
        self._reason = "far" if since is not None and head.seq - since.seq > FAR else ""
        backlog_start = Token(max(0, head.seq - backlog), "")
        self.start = backlog_start if since is None or self._reason else since
        self._seq = self.start.seq
        self._members = head.members
        self._pings: list[tuple[int, int]] = []  # each with the line after which it is answered

    @property
    def place(self) -> str:
        """Where the events begin, as `since` has it."""
        return f"{self.start.seq}:{self.start.h}" if self.start.h else str(self.start.seq)

    def begin(self) -> Iterator[str]:
        """The frames before the backlog. Nobody but oneself is named."""
        yield encode(joined=self._name or "anonymous")
        yield encode(members=self._members + 1)

    def take(self, event: ServerSent) -> Iterator[str]:
        """The frames that an event is or completes. Raises `msgspec.DecodeError`, `ValueError`."""
        if event.event == "reset":
            reset = _reset(event.data)
            self._goal, self._seq = Token(reset.seq, reset.h), 0
            self._reason = self._reason or reset.reason
        if event.event == "message" and event.data:
            self._seq = seq_of(event.data)
            yield event.data.decode()
        elif event.id:
            self._seq = int(event.id.partition(":")[0])
        if not self._is_ready and self._seq >= self._goal.seq:
            self._is_ready = True
            yield self._ready()
        yield from self._pongs()

    def repeats(self, line: bytes) -> bool:
        """Whether a stored line is an old one, that does not come by the events."""
        return seq_of(line) <= self._seq

    def check(self, ping: int, head: RoomHead) -> Iterator[str]:
        """A ping, and the room's head after it. It is answered when the newest line has come:
        never, if the events have stopped.
        """
        if head.members != self._members:
            self._members = head.members
            yield encode(members=head.members + 1)
        self._pings.append((ping, head.seq))
        yield from self._pongs()

    def _pongs(self) -> Iterator[str]:
        due = [ping for ping, seq in self._pings if seq <= self._seq]
        self._pings = [(ping, seq) for ping, seq in self._pings if seq > self._seq]
        yield from (encode(pong=ping) for ping in due)

    def _ready(self) -> str:
        frame: dict[str, object] = {"room": self._head.room, **self._goal._asdict()}
        frame["members"] = self._members + 1
        if self._head.limits is not None:
            frame["limits"] = self._head.limits
        if self._resumes:
            frame["recovered"] = not self._reason
            if self._reason:
                frame["reason"] = self._reason
        return encode(ready=True, **frame)
