"""A room's end: idle, let go, stopped; and whoever arrives just then."""

from __future__ import annotations

import gc
from collections.abc import Awaitable
from itertools import permutations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.commands import Join, Speak
from edgechat.chat.errors import Close, Refusal
from edgechat.chat.names import RoomKey
from edgechat.chat.protocol import say
from edgechat.chat.state import RoomState
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Disconnected
from edgechat.rooms.turn import Turn
from edgechat.settings import Settings
from tests.chat.rooms import a_session

from .fakes import LOBBY, FakeSocket, FakeStorage, a_world, now_ms

OTHER = RoomKey("other", private=False)


async def test_an_empty_room_ends_and_is_started_again(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=60) as world:
        alice = await world.join("alice")
        alice.say("hi")
        await trio.sleep(3600)
        first = world.room()
        assert first is not None  # an hour of silence is not an empty room
        alice.hang_up()
        await trio.sleep(59)
        assert world.room() is first
        await trio.sleep(2)
        assert world.room() is None
        assert world.storage.open_logs == 0
        bob = await world.join("bob")
        assert world.room() is not first
        assert bob.briefs() == ["1 hi", "joined bob", "ready"]


async def test_a_visit_in_between_begins_the_idle_time_anew(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=60) as world:
        for _ in range(3):
            visitor = await world.join("alice")
            room = world.room()
            visitor.hang_up()
            await trio.sleep(50)
        assert world.room() is room
        assert world.storage.open_logs == 1


@pytest.mark.parametrize("room_idle", [60.0, 0.0])
async def test_a_request_keeps_a_room_for_as_long_as_it_takes(
    autojump_clock: MockClock, room_idle: float
) -> None:
    async with a_world(room_idle=room_idle) as world:
        room = world.rooms.get(LOBBY)
        with room.visit():
            await room.ask(Speak(a_session("web"), say("hi")))
            await trio.sleep(3600)
            assert world.room() is room
            await room.ask(Speak(a_session("web"), say("still here")))
        await trio.sleep(1.1)
        assert world.room() is None


async def test_a_connection_leaves_while_a_request_looks_in(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=60) as world:
        alice = await world.join("alice")
        room = world.room()
        assert room is not None
        with room.visit():
            alice.hang_up()
            await trio.sleep(3600)
            assert world.room() is room
        await trio.sleep(1.1)
        assert world.room() is None


async def test_a_room_that_was_only_looked_into_by_http_ends_at_once(
    autojump_clock: MockClock,
) -> None:
    async with a_world(room_idle=60) as world:
        room = world.rooms.get(LOBBY)
        with room.visit():
            await room.wait_opened()
            await trio.sleep(5)
            assert world.room() is room
        await trio.sleep(2)
        assert (world.room(), world.storage.open_logs) == (None, 0)
        alice = await world.join("alice")
        alice.hang_up()
        await wait_all_tasks_blocked()
        left = world.room()
        assert left is not None
        await trio.sleep(30)
        with left.visit():
            pass
        await trio.sleep(29)
        assert world.room() is left  # for whoever comes back
        await trio.sleep(2)
        assert world.room() is None


async def test_who_says_no_hello_yet_keeps_the_room(autojump_clock: MockClock) -> None:
    async with a_world(room_idle=1, hello_timeout=10) as world:
        lurker = world.connect()
        await trio.sleep(9)
        room = world.room()
        lurker.feed({"name": "alice"})
        await wait_all_tasks_blocked()
        assert lurker.briefs() == ["joined alice", "ready"]
        assert world.room() is room


@pytest.mark.parametrize("idle", [0.0, 60.0])
async def test_who_arrives_in_the_very_step_in_which_a_room_ends_is_not_lost(
    autojump_clock: MockClock, idle: float
) -> None:
    """Trio starts the tasks of one moment in random order: a hundred rooms see many orders."""
    async with a_world(room_idle=idle) as world:
        keys = [RoomKey(f"r{number}", private=False) for number in range(100)]
        firsts = [await world.join("first", key=key) for key in keys]
        for first in firsts:
            first.say("hi")
        await wait_all_tasks_blocked()
        for first in firsts:
            first.hang_up()
        await wait_all_tasks_blocked()
        now = trio.current_time()
        before = [world.rooms.find(key) for key in keys]

        async def arrive(number: int) -> None:
            await trio.sleep_until(now + idle)  # the rooms wake at this very moment, too
            for _ in range(number % 7):
                await trio.lowlevel.checkpoint()
            visitors.append(world.connect({"name": "next"}, key=keys[number]))

        visitors = []  # type: ignore[var-annotated]
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(arrive, number)
        await wait_all_tasks_blocked()
        assert {tuple(visitor.briefs()) for visitor in visitors} == {
            ("1 hi", "joined next", "ready")
        }
        fresh = sum(world.rooms.find(key) is not old for key, old in zip(keys, before, strict=True))
        assert fresh > 0


async def test_every_order_of_leaving_arriving_speaking_and_stopping(
    autojump_clock: MockClock,
) -> None:
    for order in permutations(("leave", "arrive", "speak", "tick")):
        async with a_world(room_idle=0) as world:
            first = await world.join("first")
            visitor = None
            for step in order:
                if step == "leave":
                    first.hang_up()
                elif step == "arrive":
                    visitor = world.connect({"name": "next"})
                elif step == "speak" and "leave" in order[order.index("speak") :]:
                    first.say("hi")
                else:
                    await wait_all_tasks_blocked()
            await wait_all_tasks_blocked()
            assert visitor is not None
            assert "ready" in visitor.briefs(), order
            assert visitor.closed is None


async def test_a_full_server_does_not_let_a_room_go_that_has_something_to_do(
    autojump_clock: MockClock,
) -> None:
    """Its successor would open the file while it still writes, and give out a seq twice."""
    async with a_world(max_rooms=1) as world:
        alice = await world.join("alice")
        world.storage.may_append = trio.Event()
        alice.say("slow")
        await wait_all_tasks_blocked()
        alice.hang_up()
        await wait_all_tasks_blocked()
        room = world.room()
        assert room is not None
        assert not room.is_idle()
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert room.is_idle()
        bob = await world.join("bob", key=OTHER)
        assert bob.briefs() == ["joined bob", "ready"]
        assert world.rooms.find(LOBBY) is None
        bob.hang_up()
        await wait_all_tasks_blocked()
        eve = await world.join("eve")
        assert eve.briefs() == ["1 slow", "joined eve", "ready"]
        assert world.storage.open_logs == 1


async def test_stopping_stores_what_was_said_and_sends_all_away(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        room = world.room()
        assert room is not None
        world.storage.may_append = trio.Event()
        for number in range(10):  # the first is being written, the others wait
            alice.say(f"m{number}")
            await wait_all_tasks_blocked()
        room.stop()
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert [alice.closed, bob.closed] == [Close.RESTART] * 2
        assert len(world.storage.texts()) == 10
        assert sum("message" in frame for frame in bob.received) == 10
        assert (world.room(), world.storage.open_logs) == (None, 0)


async def test_a_room_that_has_ended_leaves_nobody_waiting(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture
) -> None:
    """Not one who comes too late, and not one who waits in a full inbox or at the door."""
    async with a_world(inbox=1) as world:
        alice = await world.join("alice")
        room = world.room()
        assert room is not None
        late = Speak(a_session(), say("late"))
        released: list[type[Exception]] = []

        async def release(wait: Awaitable[object]) -> None:
            with pytest.raises((Refusal, Disconnected)) as caught:
                await wait
            released.append(caught.type)

        world.storage.may_append = trio.Event()
        alice.say("hi")
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(release, room.join(Join(a_session(), 0), FakeSocket()))
            nursery.start_soon(release, room.ask(late))
            await wait_all_tasks_blocked()  # with that, the mailbox is full
            nursery.start_soon(release, room.post(late))
            nursery.start_soon(release, room.post(late))
            await wait_all_tasks_blocked()
            world.storage.fail_append = ZeroDivisionError("odd")
            world.storage.may_append.set()
            await wait_all_tasks_blocked()
            nursery.start_soon(release, room.join(Join(a_session(), 0), FakeSocket()))
            nursery.start_soon(release, room.post(late))
        kinds = sorted(kind.__name__ for kind in released)
        assert kinds == ["Disconnected"] * 2 + ["Refusal"] * 4


async def test_nobody_writes_to_a_room_that_was_cancelled(autojump_clock: MockClock) -> None:
    """Whatever cancels it: its history is closed, and a sender must not go on by itself."""
    storage, scope = FakeStorage(Settings()), trio.CancelScope()
    room = Room(LOBBY, storage, Settings(), Turn(storage, now_ms))

    async def live() -> None:
        with scope:
            await room.run()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live)
        with room.visit():
            await wait_all_tasks_blocked()
            scope.cancel()
            await wait_all_tasks_blocked()
            with pytest.raises(Refusal) as caught:
                room.post_nowait(Speak(a_session(), say("hi")))
    assert caught.value.code == "unavailable"
    assert storage.texts() == []


async def test_a_room_that_has_ended_is_freed_at_once(autojump_clock: MockClock) -> None:
    """Not when the collector comes by: with its recent lines it is large."""
    async with a_world(room_idle=1) as world:
        alice = await world.join("alice")
        alice.say("hi")
        await wait_all_tasks_blocked()
        gc.collect()
        states = count_chatrooms()
        gc.disable()
        try:
            alice.hang_up()
            del alice
            await trio.sleep(2)
            await wait_all_tasks_blocked()
            assert world.room() is None
            assert count_chatrooms() == states - 1
        finally:
            gc.enable()


def count_chatrooms() -> int:
    return sum(type(one) is RoomState for one in gc.get_objects())


async def test_who_speaks_to_a_room_that_stops_is_told(autojump_clock: MockClock) -> None:
    """Else a flood could keep it from ever ending."""
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob")
        room = world.room()
        assert room is not None
        world.storage.may_append = trio.Event()
        alice.say("before")
        await wait_all_tasks_blocked()
        room.stop()
        bob.take()
        bob.say("after")
        await wait_all_tasks_blocked()
        assert bob.briefs() == ["error unavailable"]
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert world.storage.texts() == ["before"]
        assert bob.closed is Close.RESTART
