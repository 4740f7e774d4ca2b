"""`edgechat chat` in a real terminal emulator: tmux, on a server of its own."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from edgechat.client import Message, open_room, room_url
from tests.cli.commands import SOON, arguments, edgechat, environment
from tests.client.server import Server
from tests.client.server import serving as restarting
from tests.serving.talking import need

TICK = 0.05  # seconds between two looks at the terminal: nothing says when it has drawn


class Terminal:
    """A window of 100 columns and 12 rows, with a chat in it."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def open(self, command: list[str]) -> None:
        # `cat` keeps the window, so that what was there at the end can be seen
        line = f"{shlex.join(command)}; echo status $?; cat"
        env = environment(TERM="screen-256color")
        start = ["new-session", "-d", "-x", "100", "-y", "12", line]
        subprocess.run([*self._tmux, *start], env=env, check=True, capture_output=True)

    def rows(self) -> list[str]:
        return self.run("capture-pane", "-p").rstrip("\n").split("\n")

    def type(self, text: str, *keys: str) -> None:
        if text:
            self.run("send-keys", "-l", text)
        if keys:
            self.run("send-keys", *keys)

    async def until(self, *last: str) -> list[str]:
        """Wait until the last rows end so; returns all."""
        with trio.move_on_after(SOON):
            while True:
                rows = self.rows()
                if [
                    row[-len(end) :] for row, end in zip(rows[-len(last) :], last, strict=False)
                ] == [*last]:
                    return rows
                await trio.sleep(TICK)
        raise AssertionError(f"not {last}: {self.rows()}")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    need("tmux", "-V")
    terminal = Terminal(tmp_path / "tmux")
    yield terminal
    subprocess.run([*terminal._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with restarting(tmp_path / "data") as server:
        yield server


async def test_talking(server: Server, terminal: Terminal) -> None:
    terminal.open(arguments("chat", "lobby", "--name", "alice", "--url", server.url))
    await terminal.until("1 here, in lobby. /help helps.", "alice>")
    async with open_room(room_url(server.url, "lobby"), "bob") as bob:
        await terminal.until("bob joined.", "alice>")
        terminal.type("hi世", "BSpace")
        await terminal.until("bob joined.", "alice> hi")
        await bob.say("I am\nhere \u202e")
        rows = await terminal.until("    here \\u202e", "alice> hi")
        assert rows[-3].endswith(" bob: I am")
        terminal.type("", "Enter")
        await terminal.until(" alice: hi", "alice>")
        with trio.fail_after(SOON):
            said = [event async for event in _until(bob, "hi")]
        assert said[-1].name == "alice"
        terminal.type("", "Up")
        await terminal.until("alice> hi")
        terminal.type("", "C-u")
        terminal.type("/who", "Enter")
        await terminal.until("alice, bob", "alice>")
        terminal.type("/nonsense", "Enter")
        await terminal.until("/nonsense is not a command: /help lists them.", "alice>")
        terminal.type("x" * 200)
        await terminal.until(f"alice> {'x' * 92}")
        terminal.type("", "C-u", "C-d")
        await terminal.until("status 0")


async def _until(room: object, text: str) -> AsyncIterator[Message]:
    async for event in room:  # type: ignore[attr-defined]
        if isinstance(event, Message):
            yield event
            if event.message == text:
                return


async def test_a_restart(server: Server, terminal: Terminal) -> None:
    terminal.open(arguments("chat", "lobby", "--name", "alice", "--url", server.url))
    await terminal.until("/help helps.", "alice>")
    await server.kill()
    await terminal.until("What you send waits.", "alice>")
    terminal.type("still here", "Enter")
    await terminal.until("alice (1 waiting)>")
    terminal.type("/quit", "Enter")
    await terminal.until("1 not sent yet. /quit again leaves without.", "alice (1 waiting)>")
    await server.start()
    await terminal.until(" alice: still here", "alice>")
    terminal.type("", "C-c")
    await terminal.until("status 130")
    assert server.stored("lobby").count(b"still here") == 1


async def test_a_message_that_is_refused_can_be_mended(server: Server, terminal: Terminal) -> None:
    terminal.open(arguments("chat", "lobby", "--url", server.url))
    await terminal.until("/help helps.", "anonymous>")
    terminal.run("set-buffer", "x" * 2_001)
    terminal.run("paste-buffer", "-p")
    await terminal.until("x" * 40)
    terminal.type("", "Enter")
    said = "Not sent: Message too long: 2001 characters, at most 2000."
    await terminal.until(said, "x" * 40)
    terminal.type("", "BSpace", "Enter")
    await terminal.until("xx", "anonymous>")
    assert b"x" * 2_000 in server.stored("lobby")


async def test_it_needs_a_terminal() -> None:
    done = await edgechat("chat", "lobby")
    assert (done.status, done.out) == (2, "")
    assert done.err == "Error: `chat` needs a terminal. Programs take `send` and `tail`.\n"
