"""A client that says and hears, and notes what it heard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import trio

from edgechat.client import (
    Disconnected,
    Lost,
    Message,
    Ready,
    Reset,
    Room,
    UnknownRecord,
    open_room,
)
from edgechat.client.room_options import Options

QUICK = Options(backoff_base=0.02, backoff_cap=0.2, steady_after=0.0, join_within=60.0, window=4)
TALKERS = 2  # of each client, who say things at once


@dataclass
class Guest:
    """One client; all reconnecting is the library's."""

    name: str
    may_go_by_http: bool
    tokens: list[tuple[int, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    is_done: bool = False  # all that it said is acknowledged

    async def stay(self, url: str, stop: trio.Event, leave: trio.Event) -> None:
        """In the room until it may leave; talks until told to stop."""
        options = replace(QUICK, http_fallback=self.may_go_by_http)
        async with (
            open_room(url, self.name, backlog=0, options=options) as room,
            trio.open_nursery() as beside,
        ):
            beside.start_soon(self._hear, room)
            async with trio.open_nursery() as talkers:
                for _ in range(TALKERS):
                    talkers.start_soon(self._talk, room, stop)
            self.is_done = True
            await leave.wait()
            beside.cancel_scope.cancel()

    async def _talk(self, room: Room, stop: trio.Event) -> None:
        """One message at a time, until told to stop; the last ones are answered then."""
        while not stop.is_set():
            id = f"{self.name}-{len(self.said)}"
            self.said.append(id)
            text = f"the words of {id}, and ünïcödé 🐙 " + "w" * (len(self.said) % 700)
            line = await room.say(text, id=id)
            self.acknowledged[id] = (line.seq, line.h)

    async def _hear(self, room: Room) -> None:
        async for event in room:
            match event:
                case Message(seq=seq, h=h):
                    if self.tokens and seq != self.tokens[-1][0] + 1:
                        self.breaches.append(f"{seq} after {self.tokens[-1][0]}")
                    self.tokens.append((seq, h))
                case Lost() | UnknownRecord():
                    self.breaches.append(f"{event}")
                case Reset(reason=reason):
                    self.breaches.append(f"a reset: {reason}")
                case Ready(resumed=resumed):
                    self.counts["resumed" if resumed else "joined"] += 1
                case Disconnected(code=code):
                    self.counts[f"closed {code}"] += 1
