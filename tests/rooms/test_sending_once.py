"""The same id in the same room is one message."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.names import RoomKey

from .fakes import LOBBY, FakeSocket, World, a_world


async def said(socket: FakeSocket, text: str, id: str) -> list[str]:
    """Say it; returns what comes back."""
    socket.take()
    socket.say(text, id)
    await wait_all_tasks_blocked()
    return socket.briefs()


async def restart(world: World, *members: FakeSocket) -> FakeSocket:
    """Everybody leaves, the room ends, and alice comes back to a fresh one."""
    for member in members:
        member.hang_up()
    await trio.sleep(world.settings.room_idle + 1)
    assert world.room() is None
    return await world.join("alice")


async def chatter(world: World, count: int) -> None:
    """Another says that much."""
    bob = await world.join("bob")
    for _ in range(count):
        bob.say("x")
    await wait_all_tasks_blocked()
    bob.hang_up()
    await wait_all_tasks_blocked()


async def test_a_repeat_is_answered_by_the_stored_line_to_its_sender_only(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        bob.take()
        first = await said(alice, "hi", "c1")
        line = alice.received[-1]
        assert await said(alice, "hi", "c1") == first == ["1 hi"]
        assert alice.received[-1] == line
        assert bob.briefs() == ["1 hi"]


async def test_a_repeat_costs_no_allowance(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=10, message_grace=0) as world:
        alice = await world.join("alice")
        for _ in range(20):
            assert await said(alice, "hi", "c1") == ["1 hi"]
        assert await said(alice, "ho", "c2") == ["error rate_limited"]
        assert await said(alice, "hi", "c1") == ["1 hi"]


async def test_a_repeat_from_a_new_connection_is_the_same_message(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        alice.hang_up()
        again = await world.join("alice")
        assert await said(again, "hi", "c1") == ["1 hi"]
        assert world.storage.texts() == ["hi"]


async def test_repeats_in_one_breath(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        for member in (alice, bob):
            member.take()
        hi = {"message": "hi", "id": "c1"}
        alice.feed(hi, hi, {"message": "ho", "id": "c1"}, hi)
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["1 hi", "1 hi", "error id_conflict", "1 hi"]
        assert bob.briefs() == ["1 hi"]


async def test_another_text_or_name_is_a_conflict(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        await said(alice, "hi", "c1")
        assert await said(alice, "ho", "c1") == ["error id_conflict"]
        assert await said(bob, "hi", "c1") == ["error id_conflict"]
        assert bob.received[-1]["id"] == "c1"
        assert world.storage.texts() == ["hi"]


async def test_ids_are_known_across_a_restart(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=1) as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        again = await restart(world, alice)
        assert await said(again, "hi", "c1") == ["1 hi"]
        assert await said(again, "ho", "c1") == ["error id_conflict"]
        assert world.storage.texts() == ["hi"]


async def test_the_stored_line_is_found_though_it_is_not_in_memory(
    autojump_clock: MockClock,
) -> None:
    async with a_world(room_idle=1, recent_lines=3) as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        await chatter(world, 10)
        assert await said(alice, "hi", "c1") == ["1 hi"]
        assert await said(alice, "ho", "c1") == ["error id_conflict"]
        again = await restart(world, alice)
        assert await said(again, "hi", "c1") == ["1 hi"]


async def test_many_repeats_of_old_ids_cost_one_look_and_few_lines(
    autojump_clock: MockClock,
) -> None:
    """The room waits for the disk meanwhile. Who has to wait is told so, and then answered."""
    async with a_world(recent_lines=3, repeats_at_once=4) as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        ids = [f"c{number}" for number in range(1, 21)]
        for id in ids:
            await said(alice, "hi", id)
        await chatter(world, 5)
        alice.take()
        before = world.storage.reads
        alice.feed(*({"message": "hi", "id": id} for id in ids[:10]))
        bob.take()
        bob.say("ho")
        await wait_all_tasks_blocked()
        assert alice.briefs()[:4] == ["1 hi", "2 hi", "3 hi", "4 hi"]
        refused = [frame for frame in alice.received if "code" in frame]
        assert [(frame["code"], frame["id"]) for frame in refused] == [
            ("rate_limited", id) for id in ids[4:10]
        ]
        assert "26 ho" in bob.briefs()
        assert world.storage.reads == before + 1
        assert world.storage.looked_up[-1] == [1, 2, 3, 4]
        await trio.sleep(refused[0]["retry_after_ms"] / 1_000)
        assert await said(alice, "hi", ids[4]) == ["5 hi"]


async def test_a_damaged_line_is_no_repeat(autojump_clock: MockClock) -> None:
    async with a_world(recent_lines=3) as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        await chatter(world, 10)
        world.storage.files[LOBBY][0] = None
        assert await said(alice, "hi", "c1") == ["12 hi"]


async def test_ten_thousand_messages_later_an_id_is_new(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=1) as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        await chatter(world, 9_999)
        # Line 1 is the oldest of the last 10,000; with one more it is not among them.
        assert await said(alice, "hi", "c1") == ["1 hi"]
        again = await restart(world, alice)
        assert await said(again, "hi", "c1") == ["1 hi"]
        await chatter(world, 1)
        assert await said(again, "hi", "c1") == ["10002 hi"]
        assert await said(await restart(world, again), "hi", "c1") == ["10002 hi"]


async def test_ten_thousand_messages_later_an_id_is_new_across_a_restart(
    autojump_clock: MockClock,
) -> None:
    async with a_world(room_idle=1, known_ids=10) as world:
        alice = await world.join("alice")
        await said(alice, "hi", "c1")
        await chatter(world, 10)
        assert await said(await restart(world, alice), "hi", "c1") == ["12 hi"]


async def test_the_same_id_in_another_room_is_another_message(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        here = await world.join("alice")
        there = await world.join("alice", key=RoomKey("there", private=False))
        assert await said(here, "hi", "c1") == ["1 hi"]
        assert await said(there, "ho", "c1") == ["1 ho"]


async def test_one_without_an_id_says_it_twice(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.feed({"message": "hi"}, {"message": "hi"})
        await wait_all_tasks_blocked()
        assert world.storage.texts() == ["hi", "hi"]
        assert world.storage.reads == 0  # ids are read when the first one comes
