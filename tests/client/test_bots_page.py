"""The examples of docs/bots.md, as they stand there, in processes of their own."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from edgechat.client import Message, Options, Room, open_room, room_url

from .server import Server, serving

PAGE = (Path(__file__).parents[2] / "docs" / "bots.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SOON = 90.0  # seconds: a bound for a machine with much else to do
QUICK = Options(backoff_base=0.05, backoff_cap=0.2, join_within=SOON)


def example(word: str) -> str:
    """The one example that has this word."""
    [found] = [text for text in EXAMPLES if word in text]
    return str(found)


class Program:
    """An example, run for a server in a folder."""

    def __init__(self, text: str, server: Server, folder: Path) -> None:
        code = text.replace("http://127.0.0.1:8080", server.url)
        assert server.url in code
        self._command = [sys.executable, "-c", code]
        self._folder = folder
        self.process: trio.Process | None = None

    async def start(self) -> None:
        self.process = await trio.lowlevel.open_process(self._command, cwd=self._folder)

    async def stop(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode

    async def output(self) -> str:
        done = await trio.run_process(self._command, cwd=self._folder, capture_stdout=True)
        return done.stdout.decode()


@asynccontextmanager
async def running(text: str, server: Server, folder: Path) -> AsyncIterator[Program]:
    program = Program(text, server, folder)
    await program.start()
    try:
        yield program
    finally:
        with trio.CancelScope(shield=True):
            await program.stop(signal.SIGKILL)


def test_the_echo_bot_is_short() -> None:
    assert len([line for line in example("echo").splitlines() if line]) <= 8
    assert len(EXAMPLES) == 3


async def hear(room: Room, text: str) -> None:
    """Until somebody says it; all that comes before is passed over."""
    async for event in room:
        if isinstance(event, Message) and event.message == text and not event.mine:
            return


COUNT = 60
KILLS = (5, 12, 20, 33, 34, 50)  # after so many echoes were heard


async def test_the_echo_bot_through_kill_9(tmp_path: Path) -> None:
    """The bot is killed again and again while it answers, and the server once with it."""
    async with serving(tmp_path / "data") as server:
        with trio.fail_after(SOON):
            async with (
                open_room(room_url(server.url, "lobby"), "alice", options=QUICK) as room,
                running(example("echo"), server, tmp_path) as bot,
            ):
                await _wait_for_the_bot(room)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_say_all, room)
                    for count in KILLS:
                        await hear(room, f"{count}")
                        await bot.stop(signal.SIGKILL)
                        if count == KILLS[2]:
                            await server.kill()
                            await server.start()
                        await bot.start()
                    await hear(room, f"{COUNT - 1}")
        lines = server.stored("lobby").splitlines()[1:]
    said = [json.loads(line) for line in lines]
    echoes = [line["message"] for line in said if line["name"] == "echo"]
    assert echoes == [f"{number}" for number in range(COUNT)]


async def _wait_for_the_bot(room: Room) -> None:
    while "echo" not in room.roster:
        await anext(room)


async def _say_all(room: Room) -> None:
    for number in range(COUNT):
        await room.say(f"echo {number}")


async def test_what_is_said_while_the_bot_is_off_is_answered_later(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        with trio.fail_after(SOON):
            async with (
                open_room(room_url(server.url, "lobby"), "alice", options=QUICK) as room,
                running(example("echo"), server, tmp_path) as bot,
            ):
                await _wait_for_the_bot(room)
                await room.say("echo 1")
                await hear(room, "1")
                assert await bot.stop(signal.SIGTERM) == 0
                await room.say("echo 2")
                await room.say("echo 3")
                await bot.start()
                await hear(room, "2")
                await hear(room, "3")
                assert await bot.stop(signal.SIGINT) == 0
        assert len(server.stored("lobby").splitlines()) == 1 + 6


async def test_the_announcement_is_made_once(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        with trio.fail_after(SOON):
            for _ in range(2):
                await Program(example("announce"), server, tmp_path).output()
            async with open_room(room_url(server.url, "lobby"), key="a secret") as room:
                line = await anext(room)
                assert isinstance(line, Message)
                assert line.message.startswith("Good morning")
                assert (await room.info()).seq == 1
            output = await Program(example("search"), server, tmp_path).output()
            assert output.splitlines() == ["1 messages", f"1 clock {line.message}"]
