"""The real server: in this process, and as one of its own."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import trio
from trio.testing import wait_all_tasks_blocked

from edgechat.net.listener import Listener
from edgechat.server import serve
from edgechat.settings import Settings
from edgechat.workers import front
from tests.serving.stored import stored
from tests.serving.wire import BEGUN, SOON, Wire, dial, join


class Answer(NamedTuple):
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Running:
    """A server that runs, and its folder."""

    def __init__(self, port: int, data: Path) -> None:
        self.port = port
        self.data = data
        self.stopping = trio.Event()  # set: a server in this process stops

    def file(self, room: str = "lobby") -> Path:
        return self.data / "rooms" / "public" / f"{room}.jsonl"

    def lines(self, room: str = "lobby") -> list[bytes]:
        """A history's lines, without its header: see `stored`."""
        return self.stored(room).splitlines()[1:]

    def stored(self, room: str = "lobby") -> bytes:
        """A history: what is in its file, and what the journal adds."""
        return stored(self.data, room)

    def files(self) -> set[str]:
        return {path.name for path in (self.data / "rooms").rglob("*") if path.is_file()}

    async def get(self, target: str, *headers: str) -> Answer:
        return await self.ask("GET", target, *headers)

    async def ask(self, method: str, target: str, *headers: str, body: bytes = b"") -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return await exchange(self.port, "\r\n".join([*lines, "", ""]).encode() + body)


async def exchange(port: int, request: bytes) -> Answer:
    """Send a request as it is, and read the answer to its end."""
    wire = await dial(port)
    try:
        with trio.fail_after(SOON):
            await wire.send(request)
            return parse_answer(await wire.rest())
    finally:
        wire.close()


async def asked(port: int, request: bytes) -> int:
    """The status of an answer that may be the beginning of something longer."""
    wire = await dial(port)
    try:
        with trio.fail_after(SOON):
            await wire.send(request)
            return parse_answer(await wire.head()).status
    finally:
        wire.close()


def parse_answer(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *headers = head.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1.1 "), data
    pairs = (header.partition(": ") for header in headers)
    return Answer(int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs}, body)


# Tests say much, and often keep a connection open for as long as the server does.
QUICK: dict[str, Any] = {
    "message_interval": 0.0,
    "port": 0,
    "sync_interval": 0.01,
    "linger_timeout": 0.5,
    "search_time": SOON,  # a machine with much else to do finds as much as any other
}


@asynccontextmanager
async def serving(data: Path, **changes: Any) -> AsyncIterator[Running]:
    """A server in this process, or its front; it stops in order when the block ends."""
    settings = Settings(data=data, **{**QUICK, **changes})
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        run = serve if settings.workers == 1 else front.serve
        url = await nursery.start(run, settings, stop)
        try:
            running = Running(int(url.rstrip("/").rpartition(":")[2]), data)
            running.stopping = stop
            yield running
        finally:
            Wire.close_all()
            stop.set()


class Program(Running):
    """`python -m edgechat serve` in a process of its own."""

    def __init__(self, process: trio.Process, port: int, data: Path) -> None:
        super().__init__(port, data)
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(how)
        with trio.fail_after(BEGUN):
            return await self.process.wait()

    def log(self) -> str:
        """What somebody should look at: no line that is always there."""
        lines = (self.data / "server.log").read_text().splitlines(keepends=True)
        return "".join(line for line in lines if '"level":"info"' not in line)


def command(data: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "edgechat", "serve", "--data", str(data), *options]


@asynccontextmanager
async def program(
    data: Path, *options: str, before: tuple[str, ...] = ()
) -> AsyncIterator[Program]:
    """A process that serves; killed when the block ends, if it is still there."""
    whole = [*before, *command(data, "--port", "0", "--message-interval", "0", *options)]
    with _log(data) as log:
        process = await trio.lowlevel.open_process(whole, stdout=subprocess.PIPE, stderr=log)
    try:
        with trio.fail_after(BEGUN):
            port = await _port(process)
        yield Program(process, port, data)
    finally:
        Wire.close_all()
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stdout is not None
            await process.stdout.aclose()


def _log(data: Path) -> BinaryIO:
    data.mkdir(exist_ok=True)
    return (data / "server.log").open("ab")


async def _port(process: trio.Process) -> int:
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        part = await process.stdout.receive_some()
        assert part, "it ended before it said where it is"
        line += part
    found = re.search(rb"EdgeChat is at http://127\.0\.0\.1:(\d+)/ ", line)
    assert found, line
    return int(found[1])


def the_listener() -> Listener:
    """That of the one server that runs in this process: somebody may still know others."""
    (found,) = [
        thing
        for thing in gc.get_objects()
        if type(thing) is Listener and not thing._poller._epoll.closed
    ]
    return found


async def let_in(count: int) -> None:
    """Until so many connections have been: those of one moment come in in any order."""
    await eventually(lambda: the_listener().door.limits.statistics().open == count)


async def eventually(condition: Callable[[], bool], within: float = SOON) -> None:
    """Until it is true; bounded. `BEGUN` where processes have to begin or to end first."""
    with trio.fail_after(within):
        while not condition():
            with trio.move_on_after(0.1):  # where others talk, it never rests
                await wait_all_tasks_blocked(0.01)


def open_files(pid: int | str = "self") -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Bystander:
    """Two people in a room who go on talking, whatever is done to the server meanwhile."""

    def __init__(self, alice: Wire, bob: Wire) -> None:
        self._alice = alice
        self._bob = bob
        self._said = 0

    async def goes_on(self) -> None:
        """What one says, both hear soon."""
        self._said += 1
        text = f"still here {self._said}"
        with trio.fail_after(SOON):
            await self._alice.say(text)
            await self._alice.until("message", text)
            await self._bob.until("message", text)

    async def hear(self, text: str) -> None:
        """Somebody else says it."""
        with trio.fail_after(SOON):
            await self._alice.until("message", text)
            await self._bob.until("message", text)


@asynccontextmanager
async def bystander(server: Running, room: str = "lobby") -> AsyncIterator[Bystander]:
    """They talk before, at the end, and whenever they are asked to."""
    talk = Bystander(await join(server.port, "alice", room), await join(server.port, "bob", room))
    await talk.goes_on()
    yield talk
    await talk.goes_on()
