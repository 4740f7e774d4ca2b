"""The client library itself, all of it, over a simulated connection."""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random
from typing import Any

import trio

from edgechat.chat.line import Token
from edgechat.client import Lost, Message, Options, Refused, Reset, Room, open_room

from .client import Dial, connect
from .network import Link, Signal
from .truth import Said, Truth


class Librarian:
    """One person with `edgechat.client`; see `client.Client`."""

    v2 = True
    has_ids = True

    def __init__(
        self, name: str, room: str, truth: Truth, dial: Dial, random: Random, backlog: int
    ) -> None:
        self.name = name
        self.room = room
        self.online = False
        self.link: Link | None = None
        self.stored: list[Said] = []
        self._truth = truth
        self._dial_link = dial
        self._backlog = backlog
        self._options = Options(
            join_within=1e9,
            backoff_base=0.5,
            backoff_cap=4.0,
            random=random.random,
            buffer=random.choice((5, 1_000)),
            window=random.choice((1, 4)),
        )
        self._unanswered: list[Said] = []
        self._room: Room | None = None
        self._changed = Signal()
        self._token: Token | None = None
        self._last: int | None = None

    def come(self) -> None:
        self.online = True
        self._changed.fire()

    def go(self) -> None:
        self.online = False
        self._changed.fire()

    def say(self, said: Said) -> None:
        self._unanswered.append(said)
        self._changed.fire()

    @property
    def is_settled(self) -> bool:
        return not self._unanswered and (self._room is not None or not self.online)

    @property
    def roster(self) -> Counter[str]:
        return Counter(self._room.roster if self._room else ())

    @property
    def members(self) -> int:
        return self._room.members if self._room else 0

    async def run(self) -> None:
        while True:
            while not self.online:
                await self._changed.wait_until(float("inf"))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._leave_when_told, nursery.cancel_scope)
                await self._stay()
                nursery.cancel_scope.cancel()

    async def _leave_when_told(self, scope: trio.CancelScope) -> None:
        while self.online:
            await self._changed.wait_until(float("inf"))
        scope.cancel()

    async def _stay(self) -> None:
        self._last = self._token.seq if self._token else None
        url = f"http://edge.chat/room/{self.room}"
        async with open_room(
            url,
            self.name,
            since=self._token,
            backlog=self._backlog,
            options=self._options,
            dial=self._dial,
        ) as room:
            self._room = room
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._listen, room)
                    await self._talk(room, nursery)
            finally:
                self._room = None
                self._token = room.token

    async def _dial(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        stream, _ = connect(self._dial_link, self, self._truth, _nothing)
        return stream

    async def _talk(self, room: Room, nursery: trio.Nursery) -> None:
        begun: set[str] = set()
        while True:
            for said in self._unanswered:
                if said.text not in begun:
                    begun.add(said.text)
                    nursery.start_soon(partial(self._say, room, said))
            await self._changed.wait_until(float("inf"))

    async def _say(self, room: Room, said: Said) -> None:
        try:
            message = await room.say(said.text, id=said.id)
        except Refused as refused:
            self._truth.refuse(said, refused.code)
        else:
            if message.message != said.text:
                self._truth.fail(f"{self.name} said {said.text!r} and was answered {message}")
            self.stored.append(said)
        self._unanswered.remove(said)

    async def _listen(self, room: Room) -> None:
        async for event in room:
            if isinstance(event, Lost):
                self._truth.fail(f"{self.name} was told that line {event.seq} is lost")
            elif isinstance(event, Reset):
                self._last = None
            elif isinstance(event, Message):
                if self._last is not None and event.seq != self._last + 1:
                    self._truth.fail(f"{self.name} was given {event.seq} after {self._last}")
                self._last = event.seq


def _nothing(frame: dict[str, Any]) -> None:
    """The library was told already."""
