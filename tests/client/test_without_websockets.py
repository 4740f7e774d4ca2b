"""The client, the real server, and a proxy between them that lets no WebSocket through."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from edgechat.client import (
    Disconnected,
    Event,
    Expelled,
    Message,
    Options,
    Ready,
    Refused,
    Rejected,
    Reset,
    Room,
    Token,
    open_room,
    room_url,
)
from tests.web.proxy import Proxy

from .server import Server, serving

SOON = 90.0  # seconds: a bound, never awaited on a good machine
QUICK = Options(backoff_base=0.05, backoff_cap=0.2, join_within=SOON)


@asynccontextmanager
async def blocked(
    data: Path, *options: str, upgrades: str = "refused"
) -> AsyncIterator[tuple[Server, Proxy]]:
    """A server, and a proxy to it that lets no WebSocket through."""
    async with serving(data, *options) as server:
        proxy = Proxy(int(server.url.rpartition(":")[2]))
        proxy.upgrades = upgrades
        try:
            with trio.fail_after(SOON):
                yield server, proxy
        finally:
            proxy.stop()


async def until(room: Room, kind: type[Event]) -> Event:
    async for event in room:
        if isinstance(event, kind):
            return event
    raise AssertionError("the room ended")


@pytest.mark.parametrize("upgrades", ["refused", "dropped"])
async def test_two_talk(tmp_path: Path, upgrades: str) -> None:
    async with blocked(tmp_path, upgrades=upgrades) as (server, proxy):
        url = room_url(proxy.address, "lobby")
        async with open_room(url, "alice") as alice, open_room(url, "bob") as bob:
            first = await alice.say("hi")
            assert (first.seq, first.name, first.message, first.mine) == (1, "alice", "hi", True)
            second = await bob.say("hello, 世界 \n🙂")
            for room in (alice, bob):
                assert [await until(room, Message), await until(room, Message)] == [first, second]
        stored = server.stored("lobby").splitlines()[1:]
        assert [json.loads(line)["h"] for line in stored] == [first.h, second.h]


async def test_a_follower_is_not_a_member(tmp_path: Path) -> None:
    async with (
        blocked(tmp_path) as (server, proxy),
        open_room(room_url(server.url, "lobby"), "alice") as alice,
        open_room(room_url(proxy.address, "lobby"), "bob") as bob,
    ):
        assert (bob.roster, bob.members) == (("bob",), 2)
        line = await bob.say("here I am")
        assert await until(alice, Message) == line
        assert (alice.roster, alice.members) == (("alice",), 1)
        bob.typing()
        assert (await bob.info()).members == 1


async def test_refusals_are_those_of_a_websocket(tmp_path: Path) -> None:
    async with blocked(tmp_path) as (server, proxy):
        url = room_url(proxy.address, "lobby")
        async with open_room(url, "alice") as room:
            for text, code in (
                ("", "empty_message"),
                (" \n", "empty_message"),
                ("\x07", "bad_message"),
                ("x" * 2_001, "message_too_long"),
            ):
                with pytest.raises(Refused) as refused:
                    await room.say(text)
                assert refused.value.code == code
            first = await room.say("hi", id="c1")
            await room.say("ho")
            assert await room.say("hi", id="c1") == first  # an old line: not by the events again
            with pytest.raises(Refused, match="id_conflict"):
                await room.say("ho", id="c1")
        assert len(server.stored("lobby").splitlines()) == 1 + 2
        for name, close, code in (
            ("a\u202eb", 1008, "bad_name"),
            ("x" * 33, 1009, "name_too_long"),
        ):
            with pytest.raises(Expelled) as expelled:
                async with open_room(url, name):
                    pass
            assert (expelled.value.code, expelled.value.error) == (close, code)
        with pytest.raises(Rejected, match="404"):
            async with open_room(room_url(proxy.address, "0" * 64), "alice"):
                pass


async def test_a_spent_allowance_is_waited_for(tmp_path: Path) -> None:
    # The second one may be said 0.2 s after the first, the third one 20.2 s after it.
    options = ("--message-interval", "20", "--message-grace", "19.8", "--max-message-chars", "20")
    async with (
        blocked(tmp_path, *options) as (_, proxy),
        open_room(room_url(proxy.address, "lobby"), "alice") as room,
    ):
        assert room.limits.message_chars == 20
        assert [(await room.say(text)).seq for text in ("one", "two")] == [1, 2]
        with pytest.raises(Refused) as refused:
            await room.say("three", retry=False)
        assert refused.value.code == "rate_limited"
        assert refused.value.retry_after_ms


async def test_a_token_resumes_either_way_and_kills_lose_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    heard: list[Message] = []
    token: Token | None = None
    async with blocked(tmp_path) as (server, proxy):
        for round in range(4):  # by HTTP and by WebSocket, in turn
            url = room_url((proxy.address, server.url)[round % 2], "lobby")
            async with open_room(url, "alice", since=token, options=QUICK) as room:
                async with trio.open_nursery() as nursery:
                    for number in range(5):
                        said.append(f"{round}.{number}")
                        await room.say(said[-1])
                        if number == 2:
                            await server.kill()
                            nursery.start_soon(server.start)
                while len(heard) < len(said):
                    event = await anext(room)
                    assert not isinstance(event, Reset)
                    heard += [event] if isinstance(event, Message) else []
                token = room.token
            said.append(f"{round} while away")
            async with open_room(room_url(server.url, "lobby"), "bob") as bob:
                await bob.say(said[-1])
    assert [line.seq for line in heard] == list(range(1, len(heard) + 1))
    assert [line.message for line in heard] == said[:-1]


async def test_a_token_of_another_history_is_reset(tmp_path: Path) -> None:
    async with blocked(tmp_path) as (server, proxy):
        async with open_room(room_url(server.url, "lobby"), "bob") as bob:
            line = await bob.say("hi")
        url = room_url(proxy.address, "lobby")
        for since in (Token(1, "0" * 16), Token(77, "0" * 16)):
            async with open_room(url, "alice", since=since) as room:
                assert [await anext(room), await anext(room)] == [Reset("forked"), line]
                ready = await anext(room)
                assert isinstance(ready, Ready)
                assert (ready.resumed, ready.seq, ready.h) == (False, 1, line.h)


async def test_it_comes_back_to_the_websocket(tmp_path: Path) -> None:
    async with blocked(tmp_path) as (server, proxy):
        options = Options(backoff_base=0.05, backoff_cap=0.2, websocket_retry=0.05)
        async with (
            open_room(room_url(server.url, "lobby"), "alice") as alice,
            open_room(room_url(proxy.address, "lobby"), "bob", options=options) as bob,
        ):
            await bob.say("by HTTP")
            proxy.upgrades = "passed"
            while "bob" not in alice.roster:
                await anext(alice)
            assert isinstance(await until(bob, Disconnected), Disconnected)
            ready = await until(bob, Ready)
            assert isinstance(ready, Ready)
            assert (ready.resumed, set(ready.roster)) == (True, {"alice", "bob"})
            assert (await bob.say("by WebSocket")).seq == 2
