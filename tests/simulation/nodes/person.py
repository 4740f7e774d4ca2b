"""A person: in one room, at one node after another, and what they see must be what was said.

They note each line, repeat what was not acknowledged by its id (at whichever node they are then),
and resume by the last line's token.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

import trio

from ..frames import Frames
from .node import Node, Socket

_PATIENCE = 3.0  # seconds for an answer, then what was said is said again
_CLOSES = {None, 1000, 1012, 1013}  # all that people without fault may get to see
_MAY_BE_REFUSED = {"storage_unavailable", "unavailable", "rate_limited"}


class Place(NamedTuple):
    """A line as a token."""

    seq: int
    h: str


class Visit:
    """One connection of a person."""

    def __init__(self, person: Person, node: Node) -> None:
        self.person = person
        self.node = node
        self.process = node.process
        self.address = person.address
        self.over = trio.Event()
        self.is_ready = False
        self.news: list[tuple[Place, str | None]] = []  # before it is ready
        self._frames = Frames()
        self._frames.status = 101

    def hear(self, data: bytes) -> None:
        if not self.over.is_set():
            for payload in self._frames.feed(data):
                self.person.hear(self, json.loads(payload))

    def closed(self, code: int | None) -> None:
        self.person.note_close(self, code)
        self.over.set()


class Person:
    """One who speaks and reads."""

    def __init__(
        self,
        name: str,
        room: str,
        nodes: Sequence[Node],
        random: Random,
        note: Callable[[str], None],
        fail: Callable[[str], None],
    ) -> None:
        self.name = name
        self.room = room
        self.address = f"10.0.0.{name}"
        self.shown: list[Place] = []
        self.acked: dict[str, Place] = {}
        self.acked_at: dict[str, tuple[str, int]] = {}  # the node and its process that said so
        self.unacked: dict[str, float] = {}  # when it was said last
        self.refused: set[str] = set()  # said once, and never again
        self.roster: Counter[str] = Counter()
        self.resets: list[str] = []  # why a resume could not go on
        self.visit: Visit | None = None
        self.is_leaving = False
        self._nodes = nodes
        self._random = random
        self._note = note
        self._fail = fail
        self._socket: Socket | None = None
        self._number = 0
        self._gives_up = random.random() < 0.3
        self._tries: Counter[str] = Counter()
        self._at = random.randrange(len(nodes))

    @property
    def is_settled(self) -> bool:
        return self.visit is not None and self.visit.is_ready and not self.unacked

    # What they do.

    def say(self, count: int) -> None:
        for _ in range(count):
            self._number += 1
            id = f"{self.name}-{self._number}"
            self.unacked[id] = 0.0
            self._say(id)

    def move(self) -> None:
        """Come back at another node, and say again at once what is not acknowledged."""
        self._at += 1
        self._leave()

    def leave(self) -> None:
        self.is_leaving = True
        self._leave()

    def _leave(self) -> None:
        if self._socket is not None and self.visit is not None:
            socket, self._socket = self._socket, None
            socket.hang_up()
            self.visit.over.set()

    def _say(self, id: str) -> None:
        if self._socket is not None and self.visit is not None and self.visit.is_ready:
            self.unacked[id] = trio.current_time()
            self._tries[id] += 1
            self._socket.say(json.dumps({"message": f"I say {id}", "id": id}))

    async def run(self) -> None:
        while not self.is_leaving:
            node = self._nodes[self._at % len(self._nodes)]
            visit = Visit(self, node)
            try:
                self._socket = node.visit(visit, self.room)
            except OSError:
                self._at += 1
                await trio.sleep(self._random.uniform(0.05, 0.3))
                continue
            self.visit = visit
            self.roster.clear()
            since = {"since": self.shown[-1]._asdict()} if self.shown else {"backlog": 5}
            self._socket.say(json.dumps({"name": self.name, "v": 2, **since}))
            await self._stay(visit)
            self.visit = self._socket = None
            self._at += self._random.random() < 0.5
            await trio.sleep(self._random.uniform(0.01, 0.5))

    async def _stay(self, visit: Visit) -> None:
        while not visit.over.is_set():
            with trio.move_on_after(self._random.uniform(0.5, 1.5)):
                await visit.over.wait()
                return
            late = trio.current_time() - _PATIENCE
            for id, said_at in list(self.unacked.items()):
                if said_at < late:
                    self._say(id)

    # What they see.

    def hear(self, visit: Visit, frame: dict[str, Any]) -> None:
        if visit is not self.visit:
            return
        if "ready" in frame:
            self._note(f"{self.name} at {visit.node.name}: {_brief(frame)}")
            self._arrive(visit, frame)
        elif "timestamp" in frame:
            self._note(f"{self.name} at {visit.node.name}: {frame['seq']} {frame.get('id')}")
            place = Place(frame["seq"], frame["h"])
            if visit.is_ready:
                self._read(visit, place, frame.get("id"))
            else:
                visit.news.append((place, frame.get("id")))
        elif "code" in frame:
            self._note(f"{self.name} at {visit.node.name}: {frame}")
            if frame["code"] not in _MAY_BE_REFUSED:
                self._fail(f"{self.name} was refused: {frame}")
            id = frame.get("id", "")  # none: it is about the whole connection
            if self._gives_up and self._tries[id] == 1:
                del self.unacked[id]
                self.refused.add(id)
            elif id in self.unacked:
                self.unacked[id] = trio.current_time() - _PATIENCE + 0.2

        elif "roster" in frame:
            self.roster = Counter(frame["roster"])
        elif "joined" in frame:
            self.roster[frame["joined"]] += 1
        elif "quit" in frame:
            self.roster[frame["quit"]] -= 1
            if self.roster[frame["quit"]] < 0:
                self._fail(f"{self.name} was told twice that {frame['quit']} has gone")

    def sees(self, names: Sequence[str]) -> bool:
        """Whether these are in the room, as they were told."""
        return sorted(self.roster.elements()) == list(names)

    def _arrive(self, visit: Visit, frame: dict[str, Any]) -> None:
        if frame.get("recovered") is False:
            self.resets.append(frame["reason"])
            self.shown.clear()
        visit.is_ready = True
        for place, id in visit.news:
            self._read(visit, place, id)
        if self.shown and self.shown[-1] != (frame["seq"], frame["h"]):
            self._fail(f"{self.name} is at {self.shown[-1]}, and was told {_brief(frame)}")
        for id in self.unacked:
            self._say(id)

    def _read(self, visit: Visit, place: Place, id: str | None) -> None:
        if self.shown and place.seq <= self.shown[-1].seq:
            first = self.shown[0].seq
            if place.seq >= first and self.shown[place.seq - first] != place:
                self._fail(f"{self.name} was shown {place}, and another line before")
        elif self.shown and place.seq != self.shown[-1].seq + 1:
            self._fail(f"{self.name} was shown {place} after {self.shown[-1]}")
        else:
            self.shown.append(place)
        if id is not None and id.startswith(f"{self.name}-"):
            if self.acked.get(id, place) != place and not self.resets:
                self._fail(f"{id} was acknowledged as {self.acked[id]} and {place}")
            self.acked[id] = place
            self.acked_at[id] = (visit.node.name, visit.process)
            self.unacked.pop(id, None)

    def note_close(self, visit: Visit, code: int | None) -> None:
        self._note(f"{self.name} at {visit.node.name}: closed {code}")
        if code not in _CLOSES:
            self._fail(f"{self.name} was closed with {code}")


def _brief(frame: dict[str, Any]) -> str:
    why = frame.get("reason", frame.get("recovered", ""))
    return f"ready at {frame['seq']} {frame['h']} {why}"
