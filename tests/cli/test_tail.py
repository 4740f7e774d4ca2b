from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import trio

from edgechat.cli.follower import Follower
from edgechat.cli.writer import as_json
from edgechat.client import Line, Message, Options, Ready, Reset, UnknownRecord, open_room, room_url
from tests.cli.commands import SOON, edgechat, start
from tests.client.server import Server
from tests.client.server import serving as restarting
from tests.serving.files import make_lines, write
from tests.serving.ports import free_ports
from tests.serving.running import Running, serving

QUICK = Options(backoff_base=0.05, backoff_cap=0.2, join_within=SOON)


def url(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


async def test_the_last_lines(server: Running) -> None:
    write(server.file(), make_lines(1_500, ids=True))
    done = await edgechat("tail", "lobby", "-n", "2", "--url", url(server))
    assert done == (
        0,
        "2025-11-23 06:40:01 alice: 1499 \n2025-11-23 06:40:01 alice: 1500 \n",
        "",
    )
    done = await edgechat("tail", "lobby", "--json", "-n", "1200", "--url", url(server))
    assert done.out.encode().splitlines() == server.lines()[-1_200:]
    assert (await edgechat("tail", "lobby", "--url", url(server))).out.count("\n") == 10
    assert await edgechat("tail", "lobby", "-n", "0", "--url", url(server)) == (0, "", "")
    assert await edgechat("tail", "empty", "--url", url(server)) == (0, "", "")


async def test_what_is_said_does_not_steer_the_terminal(server: Running) -> None:
    async with open_room(room_url(url(server), "lobby"), "alice") as room:
        await room.say("one\ntwo")
    done = await edgechat("tail", "lobby", "--url", url(server))
    assert "alice: one\n    two\n" in done.out
    assert "\x1b" not in done.out


class Reader:
    """A `tail -f --json` and what it wrote."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._rest = b""

    async def read(self, count: int) -> list[bytes]:
        """The next lines."""
        assert self._process.stdout is not None
        with trio.fail_after(SOON):
            while self._rest.count(b"\n") < count:
                part = await self._process.stdout.receive_some()
                assert part, "it ended"
                self._rest += part
        *lines, self._rest = self._rest.split(b"\n", count)
        return lines

    async def stop(self) -> bytes:
        """What it said on standard error."""
        self._process.send_signal(signal.SIGINT)
        with trio.fail_after(SOON):
            assert await self._process.wait() == 130
        assert self._process.stderr is not None
        return b"".join([part async for part in self._process.stderr])


async def follow(server: Server, *words: str) -> Reader:
    return Reader(await start("tail", "lobby", "-f", "--json", "--url", server.url, *words))


async def say(server: Server, *texts: str) -> None:
    async with open_room(room_url(server.url, "lobby"), "bob", options=QUICK) as room:
        for text in texts:
            await room.say(text)


async def test_it_follows_through_restarts_without_a_gap_or_a_double(tmp_path: Path) -> None:
    async with restarting(tmp_path) as server:
        await say(server, "0", "1", "2")
        reader = await follow(server, "-n", "2")
        lines = await reader.read(2)
        for round in range(3):
            await server.kill()
            await server.start()
            await say(server, *(f"{round} {n}" for n in range(20)))
            lines += await reader.read(20)
        stored = server.stored("lobby").splitlines()[1:]
        assert lines == stored[1:]
        said = await reader.stop()
        assert said.count(b"The server is back.\n") == 3


async def test_it_follows_through_twenty_orderly_restarts(tmp_path: Path) -> None:
    lines: list[bytes] = []
    port, reader = free_ports(), None  # nobody gets it by chance while no server is there
    for round in range(21):
        async with serving(tmp_path, port=port) as server:
            if reader is None:
                command = ("tail", "lobby", "-f", "--json", "--url", url(server))
                reader = Reader(await start(*command))
            for number in range(5):
                body = f"{round} {number}".encode()
                assert (await server.ask("POST", POST, body=body)).status == 201
            lines += await reader.read(5)
    assert reader is not None
    await reader.stop()
    assert lines == server.lines()
    assert len(lines) == 105


POST = "/api/room/lobby/messages"


async def test_it_fetches_what_is_too_far_to_resume(tmp_path: Path) -> None:
    async with restarting(tmp_path) as server:
        path = server.file_of("lobby")
        lines = make_lines(10_202)
        write(path, lines[:1_100])
        reader = await follow(server, "-n", "1050")
        assert await reader.read(1_050) == lines[50:1_100]
        await server.kill()
        write(path, lines + make_lines(0))
        longer = make_lines(12_000)
        write(path, longer)
        await server.start()
        assert await reader.read(10_900) == longer[1_100:]
        assert b"history" not in await reader.stop()


async def test_it_says_when_the_history_was_replaced(tmp_path: Path) -> None:
    async with restarting(tmp_path) as server:
        await say(server, "old")
        reader = await follow(server)
        await reader.read(1)
        await server.kill()
        server.file_of("lobby").unlink()
        await server.start()
        await say(server, "new")
        reset, line = await reader.read(2)
        assert reset == b'{"reset":"forked"}'
        assert json.loads(line)["message"] == "new"
        await reader.stop()


async def test_no_server() -> None:
    for more in ((), ("-f",)):
        done = await edgechat("tail", "x", "--url", "http://127.0.0.1:1", "--wait", "0", *more)
        assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
        assert done.err.startswith("Error: The server can't be reached: ")


async def test_a_reader_that_goes_away(server: Running) -> None:
    write(server.file(), make_lines(1_000))
    process = await start("tail", "lobby", "-n", "1000", "--url", url(server))
    assert process.stdout is not None
    assert process.stderr is not None
    await process.stdout.aclose()
    with trio.fail_after(SOON):
        assert await process.wait() == 1
    assert await process.stderr.receive_some() == b""


class Recorder:
    def __init__(self) -> None:
        self.seen: list[object] = []

    def line(self, line: Line) -> None:
        self.seen.append(line.seq)

    def reset(self, reason: str) -> None:
        self.seen.append(reason)


class Past:
    """A room of which only the history is asked."""

    async def history(self, *, after: int, before: int):  # type: ignore[no-untyped-def]
        for seq in range(after + 1, before):
            yield UnknownRecord(seq, "x", "")


@pytest.mark.parametrize(
    ("reason", "seen"),
    [
        ("far", [1, 2, 3, 4, 5]),
        ("trimmed", [1, "trimmed", 2, 3, 4, 5]),
        ("forked", [1, "forked", 4, 5]),
    ],
)
async def test_after_a_reset(reason: str, seen: list[object]) -> None:
    recorder = Recorder()
    follower = Follower(Past(), recorder, older=0)  # type: ignore[arg-type]
    for event in (
        Message(1, 0, "a", "b", "h"),
        Reset(reason),
        Message(4, 0, "a", "b", "h"),
        Message(5, 0, "a", "b", "h"),
        Ready("lobby", 5, "h", 1),
    ):
        await follower.take(event)
    assert recorder.seen == seen


def test_records_that_are_not_messages() -> None:
    assert as_json(UnknownRecord(7, "topic", "ab")) == b'{"seq":7,"kind":"topic","h":"ab"}'
