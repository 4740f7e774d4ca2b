"""People on all nodes while something fails, and the judge who compares afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trio

from edgechat.chat.line import Token
from tests.serving.files import check
from tests.serving.running import Running, exchange
from tests.serving.wire import hello, open_wire

PATIENCE = 60.0  # seconds in which whoever repeats a message has got it stored


class Speakers:
    """They say numbered messages; what is not acknowledged they repeat, by its id, elsewhere."""

    def __init__(self, ports: Sequence[int], room: str = "lobby") -> None:
        self.ports = list(ports)
        self.acked: dict[str, Token] = {}
        self._room = room
        self._stop = False

    def stop(self) -> None:
        self._stop = True

    async def talk(self, name: str, pause: float = 0.01) -> None:
        """Until `stop`."""
        number = 0
        while not self._stop:
            number += 1
            await self.say(f"{name}-{number}", number)
            await trio.sleep(pause)

    async def say(self, id: str, at: int = 0) -> None:
        """Until it is acknowledged, by whichever node."""
        body = json.dumps({"message": id, "name": "ci", "id": id}).encode()
        with trio.fail_after(PATIENCE):
            while id not in self.acked:
                with trio.move_on_after(2):
                    await self._try(id, self.ports[at % len(self.ports)], body)
                at += 1

    async def _try(self, id: str, port: int, body: bytes) -> None:
        head = [
            f"POST /api/room/{self._room}/messages HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        try:
            answer = await exchange(port, "\r\n".join([*head, "", ""]).encode() + body)
        except (OSError, trio.BrokenResourceError, AssertionError):
            await trio.sleep(0.05)
            return
        if answer.status in (200, 201):
            line = json.loads(answer.body)
            self.acked[id] = Token(line["seq"], line["h"])
        else:
            assert answer.status == 503, answer
            await trio.sleep(0.05)


class Listener:
    """One who stays in a room and notes what is shown; cut off, they resume at the next node."""

    def __init__(self, ports: Sequence[int], at: int, room: str = "lobby") -> None:
        self.ports = ports
        self.shown: list[Token] = []
        self.reasons: list[str] = []  # for which a resume was refused
        self._at = at
        self._room = room

    async def listen(self) -> None:
        while True:
            try:
                await self._listen(self.ports[self._at % len(self.ports)])
            except (OSError, EOFError, trio.BrokenResourceError, AssertionError):
                self._at += 1
                await trio.sleep(0.05)

    async def _listen(self, port: int) -> None:
        wire = await open_wire(port, self._room)
        try:
            since = {"since": self.shown[-1]._asdict()} if self.shown else {"backlog": 0}
            await wire.send(hello("ear", v=2, **since))
            while True:
                event = await wire.event()
                if "timestamp" in event:
                    self._note(event)
                if event.get("reason"):
                    self.reasons.append(event["reason"])
        finally:
            wire.close()

    def _note(self, event: dict[str, Any]) -> None:
        self.shown.append(Token(event["seq"], event["h"]))


async def soon(condition: Callable[[], bool]) -> None:
    """Until it is true, while others never rest; bounded."""
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event: it is a look from outside
            await trio.sleep(0.02)


async def settled(nodes: Sequence[Running], listeners: Sequence[Listener], room: str) -> None:
    """Until all files are the same and everybody was shown their last line; bounded."""
    files = [node.file(room) for node in nodes]
    await soon(lambda: _are_settled(files, listeners))


def _are_settled(files: Sequence[Path], listeners: Sequence[Listener]) -> bool:
    if not all(file.exists() for file in files):
        return False
    contents = [file.read_bytes() for file in files]
    if len(set(contents)) > 1 or not contents[0].endswith(b"\n"):
        return False
    last = json.loads(contents[0].splitlines()[-1]).get("seq")
    return all(ear.shown and ear.shown[-1].seq == last for ear in listeners)


async def judge(
    nodes: Sequence[Running],
    speakers: Speakers,
    listeners: Sequence[Listener] = (),
    room: str = "lobby",
) -> None:
    """All files are equal byte for byte; each acknowledged line is in its place, no id is twice."""
    await settled(nodes, listeners, room)
    lines = check(nodes[0].file(room))
    places = [Token(line["seq"], line["h"]) for line in lines]
    ids = [line["id"] for line in lines if "id" in line]
    assert len(ids) == len(set(ids)), "stored twice"
    where = {line["id"]: place for line, place in zip(lines, places, strict=True) if "id" in line}
    assert {id: where.get(id) for id in speakers.acked} == speakers.acked
    for ear in listeners:
        assert ear.reasons == []
        assert ear.shown == places[len(places) - len(ear.shown) :], "a gap, or a line twice"
