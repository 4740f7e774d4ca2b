from __future__ import annotations

from random import Random

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, StorageUnavailable

from .fakes import a_world


async def test_the_order_of_joining(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        bob = await world.join("bob")
        for text in ("one", "two", "three"):
            alice.say(text)
        await wait_all_tasks_blocked()
        alice.take()
        eve = await world.join("eve", backlog=2)
        assert eve.briefs() == [
            "joined alice",
            "joined bob",
            "2 two",
            "3 three",
            "joined eve",
            "ready",
        ]
        assert eve.received[-1]["members"] == 3
        assert alice.briefs() == ["joined eve"]
        assert bob.briefs()[-1] == "joined eve"


async def test_a_visit_leaves_no_file(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        assert (alice.received[-1]["seq"], alice.received[-1]["h"]) == (0, "0" * 16)
        alice.hang_up()
        await trio.sleep(100)
        assert world.storage.files == {}


async def test_what_waits_together_is_one_append_and_one_write_to_each(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        appends, writes = world.storage.appends, bob.writes
        alice.feed(*[{"message": f"m{number}"} for number in range(10)])
        await wait_all_tasks_blocked()
        assert world.storage.texts() == [f"m{number}" for number in range(10)]
        assert (world.storage.appends - appends, bob.writes - writes) == (1, 1)


async def test_while_one_batch_is_written_the_next_gathers(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        members = [await world.join(name) for name in "abc"]
        world.storage.may_append = trio.Event()
        for text in ("first", "second", "third"):
            for member in members:
                member.say(text)
            await wait_all_tasks_blocked()
        assert not any("message" in frame for frame in members[0].received)
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert world.storage.appends == 2
        assert sum("message" in frame for frame in members[0].received) == 9


async def test_more_than_the_inbox_holds_waits_and_is_not_lost(autojump_clock: MockClock) -> None:
    async with a_world(inbox=4, batch=3) as world:
        members = [await world.join(f"n{number}") for number in range(5)]
        for member in members:
            member.feed(*[{"message": f"m{number}"} for number in range(20)])
        await wait_all_tasks_blocked()
        for member in members:
            seqs = [frame["seq"] for frame in member.received if "message" in frame]
            assert seqs == list(range(1, 101))


async def test_timestamps_rise_though_the_clock_stands(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.feed(*[{"message": "hi"}] * 5)
        await wait_all_tasks_blocked()
        stamps = [frame["timestamp"] for frame in alice.received if "message" in frame]
        assert stamps == list(range(stamps[0], stamps[0] + 5))


async def test_a_history_that_cannot_be_opened_is_told_and_tried_again(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        world.storage.fail_open = StorageUnavailable("Input/output error")
        early = world.connect()
        alice = await world.join("alice")
        early.feed({"name": "early"})
        await wait_all_tasks_blocked()
        for socket in (alice, early):
            assert socket.briefs() == ["error storage_unavailable"]
            assert socket.closed is Close.FULL
        world.storage.fail_open = None
        bob = await world.join("bob")
        assert bob.briefs() == ["joined bob", "ready"]


async def test_a_slow_member_is_closed_and_harms_nobody(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, slow, bob = [await world.join(name) for name in ("alice", "slow", "bob")]
        for socket in (alice, slow, bob):
            socket.take()
        slow.is_stuck = True
        alice.say("hi")
        await wait_all_tasks_blocked()
        assert slow.closed is Close.SLOW
        assert alice.briefs() == bob.briefs() == ["1 hi", "quit slow"]
        assert slow.take() == []


async def test_who_goes_while_the_batch_that_lets_it_in_is_stored_leaves_no_ghost(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.take()
        first = world.storage.may_append = trio.Event()
        alice.say("a")
        await wait_all_tasks_blocked()
        alice.say("b")
        bob = await world.join("bob")
        second = world.storage.may_append = trio.Event()
        first.set()
        await wait_all_tasks_blocked()  # now "b" and bob's coming are the batch
        bob.close(Close.SLOW)
        await wait_all_tasks_blocked()
        second.set()
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["1 a", "2 b", "joined bob", "quit bob"]
        carol = await world.join("carol")
        assert carol.received[0] == {"joined": "alice"}
        assert carol.received[-1]["members"] == 2


@pytest.mark.parametrize("seed", range(30))
async def test_what_one_says_stays_in_its_order(autojump_clock: MockClock, seed: int) -> None:
    """Whether its sender applies it or the room's task does, which changes all the time."""
    random = Random(seed)
    async with a_world(inbox=3, batch=2) as world:
        members = {name: await world.join(name) for name in "abc"}
        unsaid = {name: list(range(30)) for name in members}
        while any(unsaid.values()):
            name = random.choice([name for name, left in unsaid.items() if left])
            breath = [
                unsaid[name].pop(0) for _ in range(min(len(unsaid[name]), random.choice((1, 1, 3))))
            ]
            members[name].feed(*[{"message": f"{name} {number}"} for number in breath])
            world.storage.waits = random.random() < 0.5
            for _ in range(random.randrange(6)):
                await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        said = [text.split() for text in world.storage.texts()]
        for name, member in members.items():
            assert [int(number) for who, number in said if who == name] == list(range(30))
            told = [frame["seq"] for frame in member.received if "message" in frame]
            assert told == list(range(1, 91))
