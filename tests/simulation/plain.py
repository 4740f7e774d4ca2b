"""A small client of its own, that shares no code with `edgechat.client`.

It sends many messages at once, repeats some on purpose, and may give up at the first refusal.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import trio

from . import frames
from .book import Place
from .client import Dial, connect
from .network import Link, Signal
from .stream import ClientStream
from .truth import Said, Truth
from .witness import Witness

_PASSING = {"rate_limited", "storage_unavailable", "unavailable"}
_PATIENCE = 25.0  # seconds without a word


@dataclass(frozen=True, slots=True)
class Habits:
    """What kind of program it is."""

    v2: bool
    resumes: bool
    has_ids: bool
    patient: bool
    doubles: bool  # says everything twice in a breath
    backlog: int


class Plain:
    """One person with it; see `client.Client`."""

    def __init__(
        self, name: str, room: str, habits: Habits, truth: Truth, dial: Dial, random: Random
    ) -> None:
        self.name = name
        self.room = room
        self.online = False
        self.link: Link | None = None
        self.stored: list[Said] = []
        self.v2 = habits.v2
        self.has_ids = habits.has_ids
        self.witness: Witness | None = None
        self._habits = habits
        self._truth = truth
        self._dial = dial
        self._random = random
        self._outbox: dict[str, Said] = {}
        self._anonymous: list[Said] = []  # said without an id: sent once, whatever comes of it
        self._due: dict[str, float] = {}  # when to say again what was refused for a while
        self._stream: ClientStream | None = None
        self._token: Place | None = None
        self._changed = Signal()
        self._heard_at = 0.0
        self._asked_at = 0.0
        self._visits = 0

    # What the person does.

    def come(self) -> None:
        self.online = True
        self._changed.fire()

    def go(self) -> None:
        self.online = False
        self._changed.fire()

    def move(self, room: str) -> None:
        """Go to another room, of which it knows nothing."""
        self.room, self._token = room, None
        self._visits += 1
        self._stream = None
        self.forget()
        self._changed.fire()

    def forget(self) -> None:
        """What was not sent is not to be said any more."""
        self._anonymous.clear()

    def say(self, said: Said) -> None:
        if said.id is None:
            self._anonymous.append(said)
        else:
            self._outbox[said.text] = said
        self._send_due()
        self._changed.fire()

    def repeat(self, said: Said) -> None:
        """Say something again, although it was answered."""
        if self._is_ready:
            self._send(said)

    def type(self) -> None:
        if self._is_ready:
            self._write('{"typing":true}')

    def is_saying(self, id: str | None) -> bool:
        """Whether a message with that id has no answer yet."""
        return any(said.id == id for said in self._outbox.values())

    @property
    def is_settled(self) -> bool:
        quiet = not self._outbox and not self._anonymous
        return quiet and (self._is_ready or not self.online)

    @property
    def roster(self) -> Counter[str]:
        return +self.witness.roster if self.witness else Counter()

    @property
    def members(self) -> int:
        return self.witness.members if self.witness else 0

    @property
    def _is_ready(self) -> bool:
        return self._stream is not None and bool(self.witness and self.witness.ready)

    # What its program does.

    async def run(self) -> None:
        while True:
            if self.online:
                await self._visit()
                await trio.sleep(self._random.uniform(0.01, self._random.choice((0.1, 2))))
            else:
                await self._changed.wait_until(trio.current_time() + 60)

    async def _visit(self) -> None:
        """One connection, from its beginning to its end."""
        try:
            stream, self.witness = connect(self._dial, self, self._truth, self._told)
        except OSError:
            return
        async with stream:
            try:
                await stream.send_all(frames.handshake(self.room))
                self._stream, self._heard_at = stream, trio.current_time()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read, stream, nursery.cancel_scope)
                    nursery.start_soon(self._write_due, nursery.cancel_scope)
            except trio.BrokenResourceError:
                pass  # it was cut before anything was said
            finally:
                self._stream = None

    async def _read(self, stream: ClientStream, scope: trio.CancelScope) -> None:
        greeted = False
        try:
            while await stream.receive_some():
                self._heard_at = trio.current_time()
                assert self.witness is not None
                status = self.witness.received.status
                if status not in (None, 101):
                    break
                if status == 101 and not greeted:
                    greeted = True
                    self._write(json.dumps(self._hello()))
                self._answer_pings()
                self._send_due()
        except trio.BrokenResourceError:
            pass
        scope.cancel()

    async def _write_due(self, scope: trio.CancelScope) -> None:
        """Say again, ask whether the server lives, and leave."""
        visit = self._visits
        while self.online and visit == self._visits:
            now, silence = trio.current_time(), self._heard_at + _PATIENCE
            half = silence - _PATIENCE / 2
            if now >= silence:
                break
            if now >= half > self._asked_at:
                self._asked_at = now
                if self._is_ready:
                    self._write('{"ping":1}')
            self._send_due()
            later = [at for at in self._due.values() if at > now]
            await self._changed.wait_until(min([*later, half if half > now else silence]))
        scope.cancel()

    def _answer_pings(self) -> None:
        assert self.witness is not None
        while self._stream is not None and self.witness.received.pings:
            self.witness.received.pings -= 1
            self._put(frames.PONG)

    def _hello(self) -> dict[str, Any]:
        hello: dict[str, Any] = {"name": self.name, "backlog": self._habits.backlog}
        if self._habits.v2:
            hello["v"] = 2
        if self._habits.resumes and self._token is not None:
            hello["since"] = {"seq": self._token[0], "h": self._token[1]}
        self._due = dict.fromkeys(self._outbox, 0.0)  # a new connection: all again
        return hello

    def _send_due(self) -> None:
        if not self._is_ready:
            return
        now = trio.current_time()
        for text, said in list(self._outbox.items()):
            if self._due.get(text, 0.0) <= now:
                self._due[text] = float("inf")
                self._send(said)
                if self._habits.doubles:
                    self._send(said)
        while self._anonymous:
            self._send(self._anonymous.pop(0))

    def _send(self, said: Said) -> None:
        frame = {"message": said.text} | ({} if said.id is None else {"id": said.id})
        self._write(json.dumps(frame))

    def _write(self, text: str) -> None:
        self._put(frames.text(text))

    def _put(self, frame: bytes) -> None:
        try:
            if self._stream is not None:
                self._stream.send_nowait(frame)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._stream = None

    # What it is told.

    def _told(self, frame: dict[str, Any]) -> None:
        if "ready" in frame:
            self._token = (frame["seq"], frame["h"])
        elif "seq" in frame:
            if self._is_ready and (self._token is None or frame["seq"] > self._token[0]):
                self._token = (frame["seq"], frame["h"])
            if (said := self._outbox.get(frame["message"])) is not None:
                del self._outbox[said.text]
                self.stored.append(said)
        elif "error" in frame:
            self._refused(frame)

    def _refused(self, frame: dict[str, Any]) -> None:
        said = next((s for s in self._outbox.values() if s.id == frame.get("id")), None)
        if said is None:
            return
        if frame["code"] in _PASSING and self._habits.patient:
            wait = frame.get("retry_after_ms", self._random.randint(100, 3_000)) / 1000
            self._due[said.text] = trio.current_time() + wait
        else:
            del self._outbox[said.text]
            self._truth.refuse(said, frame["code"])
