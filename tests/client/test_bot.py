"""Bots that are killed anywhere: each message is answered once, whatever was under way."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed

from edgechat.chat.line import Token
from edgechat.client import Message, Rejected, Room, open_room, room_url, run_bot
from edgechat.client.bot import DEFAULTS
from edgechat.client.place import Place, PlaceFile, open_place
from tests.serving.running import serving as serving_here

from .entering import OPTIONS, URL
from .lines import h_of
from .model import Link, Server
from .peer import Peer, Side, a_peer

SOON = 60.0  # seconds: never awaited on a good machine


def put(file: Path, place: Place) -> None:
    file.write_bytes(msgspec.json.encode(place))


class World:
    """A room with some messages, a bot, its file, and a counter of the places to kill it at."""

    def __init__(self, file: Path, kill_at: int) -> None:
        self.file = file
        self.server = Server()
        for number in range(2):
            self.server.store(f"message {number}")
        self.last = len(self.server.lines)  # the last that wants an answer
        self.kill_at = kill_at
        self.steps = 0
        self.scope = trio.CancelScope()
        self.done = trio.Event()
        self.answered: Counter[int] = Counter()

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            self.scope.cancel()

    async def bot(self, room: Room, message: Message) -> None:
        for part in ("first", "second"):  # two answers, whose text is another one each time
            await room.say(f"{part} to {message.seq}: {random.random():.5f}")
        self.answered[message.seq] += 1

    async def run(self) -> None:
        """Until it is killed or has done with all messages."""
        with self.scope:
            async with a_peer() as peer, trio.open_nursery() as nursery:
                nursery.start_soon(self._serve, peer)
                nursery.start_soon(self._run_bot, peer)
                await self.done.wait()
                nursery.cancel_scope.cancel()

    async def _run_bot(self, peer: Peer) -> None:
        await run_bot(self.bot, URL, "alice", place=self.file, options=OPTIONS, dial=peer.dial)

    async def _serve(self, peer: Peer) -> None:
        side = await peer.accept()
        link = Link()
        while True:
            frame = await side.receive()
            self.step()  # it came, and is not stored
            link.up.append(json.dumps(frame))
            self.server.handle(link)
            self.step()  # it is stored, and not answered
            await trio.lowlevel.checkpoint()
            await side.send(*link.down)
            link.down.clear()


async def _crash_and_restart(file: Path, kill_at: int, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(file, kill_at)
    write = PlaceFile._write

    async def watched_write(self: PlaceFile) -> None:
        world.step()  # nothing is written
        await trio.lowlevel.checkpoint()
        await write(self)
        world.step()  # all is written
        if self.token is not None and self.token.seq >= world.last:
            world.done.set()

    monkeypatch.setattr(PlaceFile, "_write", watched_write)
    put(file, Place(key="k", token=Token(0, h_of(0))))
    with trio.fail_after(SOON):
        await world.run()
        world.scope, world.kill_at = trio.CancelScope(), 0
        if not world.done.is_set():
            await world.run()
    monkeypatch.setattr(PlaceFile, "_write", write)
    return world


STEPS = 22  # a hello, 4 answers and 6 writes, of two steps each


async def test_killed_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kill_at in range(STEPS + 1):  # 0: never
        world = await _crash_and_restart(tmp_path / f"{kill_at}.json", kill_at, monkeypatch)
        assert kill_at or world.steps == STEPS
        said = [json.loads(line)["message"] for line in world.server.lines]
        answers = [text.partition(":")[0] for text in said[world.last :]]
        wanted = [f"{part} to {seq}" for seq in (1, 2) for part in ("first", "second")]
        assert answers == wanted, f"killed at step {kill_at}"
        assert set(world.answered) == {1, 2}
        assert world.answered.total() <= 3, "only the one under way is handled again"


async def _run_until(
    count: int, start: Callable[[Callable[[Room, Message], Awaitable[None]]], Awaitable[None]]
) -> list[Message]:
    """Run a bot that writes down what it gets, until it got so many."""
    got: list[Message] = []
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:

            async def bot(room: Room, message: Message) -> None:
                got.append(message)
                if len(got) == count:
                    nursery.cancel_scope.cancel()

            await start(bot)
    return got


async def test_far_behind_it_reads_the_history(tmp_path: Path) -> None:
    """In one room with more messages than a resume gives, and one of the bot's own among them."""
    place = tmp_path / "place.json"
    async with serving_here(tmp_path / "data", max_resume=5) as server:
        url = room_url(f"http://127.0.0.1:{server.port}", "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "bot", key="k") as room:
                first = await room.say("0")
            async with open_room(url, "alice") as room, open_room(url, "bot", key="k") as own:
                said = [await room.say(f"{number}") for number in range(10)]
                await own.say("the bot's own")
                said += [await room.say(f"{number}") for number in range(10)]
        place.write_bytes(msgspec.json.encode(Place(key="k", token=Token(first.seq, first.h))))
        got = await _run_until(20, lambda bot: run_bot(bot, url, "bot", place=place))
        assert got == said
        assert not any(message.live for message in got)


async def test_another_history_is_gone_on_with_from_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "place.json"
    place.write_bytes(msgspec.json.encode(Place(token=Token(1, "0" * 15 + "1"))))
    async with serving_here(tmp_path / "data") as server:
        url = room_url(f"http://127.0.0.1:{server.port}", "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "alice") as room, trio.open_nursery() as nursery:
                await room.say("old")
                nursery.start_soon(_say_when_it_joined, room)
                got = await _run_until(
                    1, lambda bot: run_bot(bot, url, "bot", place=place, backlog=5)
                )
        assert [(message.message, message.live) for message in got] == [("new", True)]
    assert "another one" in caplog.text


async def _say_when_it_joined(room: Room) -> None:
    while "bot" not in room.roster:
        await anext(room)
    await room.say("new")


@pytest.mark.parametrize("backlog", [0, 2])
async def test_the_first_start_begins_with_now_or_the_backlog(tmp_path: Path, backlog: int) -> None:
    async with serving_here(tmp_path / "data") as server:
        url = room_url(f"http://127.0.0.1:{server.port}", "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "alice") as room, trio.open_nursery() as nursery:
                for number in range(5):
                    await room.say(f"{number}")
                nursery.start_soon(_say_when_it_joined, room)
                got = await _run_until(
                    backlog + 1, lambda bot: run_bot(bot, url, "bot", backlog=backlog)
                )
        assert [message.message for message in got] == [*["3", "4"][:backlog], "new"]


async def test_a_message_that_it_cannot_answer_does_not_stop_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[str] = []
    async with serving_here(tmp_path / "data") as server:
        url = room_url(f"http://127.0.0.1:{server.port}", "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "alice") as room, trio.open_nursery() as nursery:

                async def bot(room: Room, message: Message) -> None:
                    got.append(message.message)
                    if message.message == "end":
                        nursery.cancel_scope.cancel()
                    await room.say(" ")

                nursery.start_soon(lambda: run_bot(bot, url, "bot"))
                while "bot" not in room.roster:
                    await anext(room)
                await room.say("begin")
                await room.say("end")
    assert got == ["begin", "end"]
    assert "message 1 was refused: empty_message" in caplog.text


async def test_an_exception_comes_out_and_the_message_comes_again(tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    place.write_bytes(msgspec.json.encode(Place(token=Token(0, h_of(0)))))
    server = Server()
    server.store("hi")
    for _ in range(2):
        with pytest.raises(KeyError, match="1"):
            await _run_failing(place, server)
    assert msgspec.json.decode(place.read_bytes(), type=Place).token == Token(0, h_of(0))


async def _run_failing(place: Path, server: Server) -> None:
    async def bot(room: Room, message: Message) -> None:
        raise KeyError(message.seq)

    async def serve(peer: Peer) -> None:
        await _answer_all(await peer.accept(), server)

    async with a_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(serve, peer)
        failure: KeyError | None = None
        try:
            await run_bot(bot, URL, "alice", place=place, options=OPTIONS, dial=peer.dial)
        except KeyError as error:
            failure = error
        nursery.cancel_scope.cancel()
    assert failure is not None
    raise failure


async def _answer_all(side: Side, server: Server) -> None:
    link = Link()
    while True:
        try:
            link.up.append(json.dumps(await side.receive()))
        except ConnectionClosed:
            return
        server.handle(link)
        await side.send(*link.down)
        link.down.clear()


async def test_no_such_room_ends_it(autojump_clock: trio.testing.MockClock) -> None:
    async with a_peer() as peer, trio.open_nursery() as nursery:

        async def reject() -> None:
            for body in [b"<h1>Not Found</h1>", b'{"error":"No room.","code":"not_found"}']:
                await (await peer.request())[0].reject(404, body=body)

        async def bot(room: Room, message: Message) -> None:
            raise AssertionError

        nursery.start_soon(reject)
        with pytest.raises(Rejected, match="No room"):
            await run_bot(bot, URL, "alice", options=OPTIONS, dial=peer.dial)


async def test_a_bot_tries_its_first_join_for_ever(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse() -> trio.abc.Stream:
        raise OSError("Connection refused")

    async def bot(room: Room, message: Message) -> None:
        raise AssertionError

    assert DEFAULTS.join_within == float("inf")
    with trio.move_on_after(6 * 3_600) as hours, caplog.at_level("INFO"):
        await run_bot(bot, URL, "alice", dial=refuse)
    assert hours.cancelled_caught
    assert "No connection (Connection refused). Next attempt in " in caplog.text


# The file.


@pytest.mark.parametrize("text", ["", "[]", '{"edgechat_bot":2}', '{"token":7}', "\0"])
async def test_what_is_not_a_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "place.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"place\.json"):
        await open_place(file, None)


async def test_a_place_is_kept_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "place.json"
    place = await open_place(file, None)
    assert place.token is None
    assert not file.exists()
    assert await place.will_say("c1", "first") == "first"
    again = await open_place(file, None)
    assert again.key == place.key
    assert await again.will_say("c1", "second") == "first"
    await again.move(Token(7, "ab"))
    third = await open_place(file, "a key of my own")
    assert (third.token, third.key) == (Token(7, "ab"), "a key of my own")
    assert await third.will_say("c1", "third") == "third"
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["place.json"]


async def test_without_a_file_it_lives_as_long_as_the_process() -> None:
    place = await open_place(None, None)
    await place.will_say("c1", "hi")
    await place.move(Token(7, "ab"))
    assert place.token == Token(7, "ab")
    assert (await open_place(None, None)).key != place.key
