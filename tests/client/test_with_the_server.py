"""The client and the real server: the whole way, and through `kill -9`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trio

from edgechat.chat.line import chain, claimed
from edgechat.client import (
    Expelled,
    Joined,
    Message,
    Options,
    Quit,
    Ready,
    Refused,
    Rejected,
    Reset,
    Room,
    Token,
    Unreachable,
    new_private_room,
    open_room,
    room_url,
)

from .server import Server, serving

SOON = 90.0  # seconds: a bound for a machine with much else to do, never awaited on a good one
QUICK = Options(backoff_base=0.05, backoff_cap=0.2, join_within=SOON)


async def test_two_talk(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        url = room_url(server.url, "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "alice") as alice:
                first = await alice.say("hi")
                assert (first.seq, first.name, first.message) == (1, "alice", "hi")
                async with open_room(url, "bob") as bob:
                    assert await anext(bob) == first
                    ready = await anext(bob)
                    assert isinstance(ready, Ready)
                    assert set(ready.roster) == {"alice", "bob"}
                    second = await bob.say("hello, 世界 \n🙂")
                    assert await anext(bob) == second
                assert isinstance(await anext(alice), Ready)
                assert [await anext(alice) for _ in range(4)] == [
                    first,
                    Joined("bob"),
                    second,
                    Quit("bob"),
                ]
                assert alice.roster == ("alice",)


async def test_the_same_id_is_stored_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            async with open_room(room_url(server.url, "lobby"), "alice") as room:
                first = await room.say("hi", id="c1")
                assert await room.say("hi", id="c1") == first
                with pytest.raises(Refused, match="id_conflict"):
                    await room.say("ho", id="c1")
                assert (await room.say("ho")).seq == 2


async def test_refusals(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            async with open_room(room_url(server.url, "lobby"), "alice") as room:
                for text, code in [
                    ("", "empty_message"),
                    (" \n", "empty_message"),
                    ("\x07", "bad_message"),
                    ("x" * 2_001, "message_too_long"),
                ]:
                    with pytest.raises(Refused) as caught:
                        await room.say(text)
                    assert caught.value.code == code
                assert (await room.say("x" * 2_000)).seq == 1


async def test_who_may_not_come_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            once = replace(QUICK, join_within=0)
            with pytest.raises(Rejected, match="Name too long"):
                await _visit(room_url(server.url, "x" * 33), "alice", once)
            with pytest.raises(Rejected, match="404"):
                await _visit(room_url(server.url, "ab" * 32), "alice", once)
            with pytest.raises(Expelled) as long:
                await _visit(room_url(server.url, "lobby"), "x" * 33)
            assert (long.value.code, long.value.error) == (1009, "name_too_long")
            with pytest.raises(Expelled) as bad:
                await _visit(room_url(server.url, "lobby"), "a\nb")
            assert (bad.value.code, bad.value.error) == (1008, "bad_name")


async def _visit(url: str, name: str, options: Options = QUICK) -> None:
    async with open_room(url, name, options=options):
        pytest.fail("came in")


async def test_a_private_room(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        with trio.fail_after(SOON):
            url = await new_private_room(server.url)
            assert url != await new_private_room(server.url)
            async with open_room(url, "alice") as room:
                assert (await room.say("psst")).seq == 1


async def test_the_limiter_is_waited_for(tmp_path: Path) -> None:
    limits = ("--message-interval", "0.2", "--message-grace", "0.2")
    async with serving(tmp_path, *limits) as server:
        with trio.fail_after(SOON):
            async with open_room(room_url(server.url, "lobby"), "alice") as room:
                assert [(await room.say(f"{n}")).seq for n in range(6)] == [1, 2, 3, 4, 5, 6]
                with pytest.raises(Refused, match="rate_limited") as caught:
                    await _say_at_once(room, times=100)  # a slow machine refuses none of a few
                assert caught.value.retry_after_ms


async def _say_at_once(room: Room, times: int) -> None:
    for n in range(times):
        await room.say(f"{n}", retry=False)


async def test_a_token_resumes_in_another_process(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        url = room_url(server.url, "lobby")
        with trio.fail_after(SOON):
            async with open_room(url, "alice") as room:
                assert room.token is None
                await anext(room)
                token = room.token
                assert token is not None
                assert token.seq == 0
                lines = [await room.say(f"{n}") for n in range(300)]
            async with open_room(url, "alice", since=token) as room:
                assert [await anext(room) for _ in range(300)] == lines
                assert isinstance(await anext(room), Ready)
                assert room.token == Token(300, lines[-1].h)
            async with open_room(url, "alice", since=Token(150, "0" * 16), backlog=2) as room:
                events = [await anext(room) for _ in range(3)]
                assert events == [Reset("forked"), *lines[-2:]]


async def test_nothing_listens_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        url = room_url(server.url, "lobby")
    with pytest.raises(Unreachable):
        async with open_room(url, "alice", options=Options(join_within=0)):
            pytest.fail("came in")


@dataclass
class Talker:
    """Says `count` things, and writes down all that it hears until it has heard everybody's."""

    name: str
    count: int
    heard: list[Message] = field(default_factory=list)
    stored: list[Message] = field(default_factory=list)
    milestones: dict[int, trio.Event] = field(default_factory=dict)  # so many lines were heard

    async def talk(self, room: Room) -> None:
        for number in range(self.count):
            self.stored.append(await room.say(f"{self.name} {number}"))

    async def listen(self, room: Room, until: int) -> None:
        async for event in room:
            assert not isinstance(event, Reset)
            if isinstance(event, Message):
                self.heard.append(event)
                if len(self.heard) in self.milestones:
                    self.milestones[len(self.heard)].set()
                if event.seq == until:
                    return

    async def stay(self, url: str, until: int) -> None:
        async with open_room(url, self.name, options=QUICK) as room, trio.open_nursery() as nursery:
            nursery.start_soon(self.talk, room)
            nursery.start_soon(self.listen, room, until)


KILLS = (20, 60, 100, 150)  # after so many lines were heard
EACH = 100


async def test_kill_and_restart_with_says_in_flight(tmp_path: Path) -> None:
    alice, bob = Talker("alice", EACH), Talker("bob", EACH)
    alice.milestones = {after: trio.Event() for after in KILLS}
    async with serving(tmp_path) as server:
        url = room_url(server.url, "lobby")
        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(alice.stay, url, 2 * EACH)
                nursery.start_soon(bob.stay, url, 2 * EACH)
                await _kill_again_and_again(server, alice)
        lines = server.stored("lobby").splitlines()
    _check_chain(lines)
    stored = [json.loads(line) for line in lines[1:]]
    for talker in (alice, bob):
        assert [(m.seq, m.h) for m in talker.heard] == [(s["seq"], s["h"]) for s in stored]
        mine = [message for message in talker.heard if message.name == talker.name]
        assert mine == talker.stored
        assert [m.message for m in mine] == [f"{talker.name} {n}" for n in range(EACH)]


async def _kill_again_and_again(server: Server, talker: Talker) -> None:
    for heard in talker.milestones.values():
        await heard.wait()
        await server.kill()
        await server.start()


def _check_chain(lines: list[bytes]) -> None:
    previous = bytes.fromhex(json.loads(lines[0])["base"]["h"])
    for line in lines[1:]:
        previous = chain(previous, line)
        assert claimed(line) == previous
