"""`kill -9` in the middle of much talk: whatever anybody saw is in the file, which is whole."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.serving.files import BASE, HEADER, check
from tests.serving.running import Program, program
from tests.serving.wire import SOON, Wire, frame, hello, join, open_wire, say

MESSAGES = 10_000
SENDERS = 4


class Listener:
    """Writes down every line that one client is shown, until its connection breaks."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.lines: list[bytes] = []
        self.heard = trio.Event()  # `enough` of them

    async def listen(self, enough: int) -> None:
        try:
            while True:
                _, payload = await self.wire.frame()
                if payload.startswith(b'{"seq":'):
                    self.lines.append(payload)
                    if len(self.lines) >= enough:
                        self.heard.set()
        except (EOFError, trio.BrokenResourceError):
            self.heard.set()


async def pour(wire: Wire, name: str) -> None:
    """Say a quarter of the messages, as fast as they are taken."""
    try:
        for start in range(0, MESSAGES // SENDERS, 50):
            await wire.send(
                b"".join(say(f"{n}", id=f"{name}-{n}") for n in range(start, start + 50))
            )
    except trio.BrokenResourceError:
        pass


async def kill_in_the_middle(server: Program, enough: int) -> list[list[bytes]]:
    """What each client was shown until then."""
    names = [f"{enough} {n}" for n in range(SENDERS)]  # so that no id is one of another round
    listeners = [Listener(await join(server.port, name)) for name in names]
    listeners += [Listener(await join(server.port, "reader", v=2)) for _ in range(3)]
    with trio.fail_after(4 * SOON):
        async with trio.open_nursery() as nursery:
            for listener in listeners:
                nursery.start_soon(listener.listen, enough)
            for listener, name in zip(listeners, names, strict=False):
                nursery.start_soon(pour, listener.wire, name)
            await listeners[-1].heard.wait()
            server.process.send_signal(signal.SIGKILL)
    return [listener.lines for listener in listeners]


@pytest.mark.parametrize("durability", ["os", "disk"])
async def test_kill_in_the_middle_of_ten_thousand_messages(tmp_path: Path, durability: str) -> None:
    shown: list[bytes] = []
    for enough in (1, 500, 2_500):
        async with program(tmp_path, "--durability", durability) as server:
            seen = await kill_in_the_middle(server, enough)
            await server.process.wait()
            stored = server.lines()
            for lines in seen:
                at = stored.index(lines[0]) if lines else 0
                assert stored[at : at + len(lines)] == lines
                shown += lines
    async with program(tmp_path, "--durability", durability) as server:
        wire = await join(server.port, "last")
        await wire.say("after all that")
        await wire.until("message", "after all that")
        messages = check(server.stored())
        assert set(shown) <= set(server.lines())
        assert messages[-1]["message"] == "after all that"
        for line in server.log().splitlines():
            assert "torn last line" in line or "The journal had" in line


async def test_who_comes_back_says_the_rest_once(tmp_path: Path) -> None:
    async with program(tmp_path) as server:
        alice = await join(server.port, "alice")
        with trio.fail_after(SOON):
            await alice.send(b"".join(say(f"{n}", id=f"c{n}") for n in range(1_000)))
            seen = (await alice.lines(300))[-1]
            server.process.send_signal(signal.SIGKILL)
            await server.process.wait()
    async with program(tmp_path) as server:
        alice = await open_wire(server.port)
        since = {"seq": seen["seq"], "h": seen["h"]}
        with trio.fail_after(SOON):
            await alice.send(hello("alice", v=2, since=since))
            missed = await _until_ready(alice)
            assert missed[-1]["recovered"] is True
            assert [event["seq"] for event in missed[:-1]] == list(
                range(301, 301 + len(missed) - 1)
            )
            await alice.send(b"".join(say(f"{n}", id=f"c{n}") for n in range(1_000)))
            answers = [await alice.until("id") for _ in range(1_000)]
        assert {answer["id"] for answer in answers} == {f"c{n}" for n in range(1_000)}
        assert [message["id"] for message in check(server.stored())] == [
            f"c{n}" for n in range(1_000)
        ]


async def _until_ready(wire: Wire) -> list[dict[str, Any]]:
    """The lines, and the `ready`."""
    events = []
    while True:
        event = await wire.event()
        if "seq" in event:
            events.append(event)
        if "ready" in event:
            return events


async def test_a_crash_leaves_a_torn_line_and_the_start_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rooms/public/lobby.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(HEADER % BASE + b'{"seq":1,"timest')
    async with program(tmp_path) as server:
        wire = await join(server.port, "alice")
        await wire.send(say("hi") + frame('{"ping":1}'))
        await wire.until("pong")
        await wire.say("there")
        await wire.until("message", "there")
        assert [json.loads(line)["message"] for line in server.lines()] == ["hi", "there"]
        check(server.stored())
        log = server.log()
        assert "In the history of room 'lobby' a torn last line of 16 bytes was cut off" in log
        assert len(log.splitlines()) == 1
