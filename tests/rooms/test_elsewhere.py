"""What other servers say in a room: its members hear it, in one order, and each line once."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.errors import Close, HistoryChanged
from edgechat.chat.hear import News, Others

from .fakes import LOBBY, FakeSocket, World, a_world


def spoken(socket: FakeSocket) -> list[str]:
    """The lines that came since the last time: `seq name text`."""
    return [
        f"{frame['seq']} {frame['name']} {frame['message']}"
        for frame in socket.take()
        if "seq" in frame and "message" in frame
    ]


def say_elsewhere(world: World, *texts: str, id: str | None = None) -> None:
    world.storage.say_elsewhere(*[(text, id) for text in texts])


async def test_members_hear_what_is_said_elsewhere(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob", v=2)
        say_elsewhere(world, "one", "two")
        await wait_all_tasks_blocked()
        assert spoken(alice) == spoken(bob) == ["1 eve one", "2 eve two"]
        alice.say("three")
        await wait_all_tasks_blocked()
        assert spoken(alice) == spoken(bob) == ["3 alice three"]
        assert world.storage.texts() == ["one", "two", "three"]


async def test_a_newcomer_gets_what_was_said_elsewhere(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        await world.join("alice")
        say_elsewhere(world, "one")
        bob = await world.join("bob")
        assert spoken(bob) == ["1 eve one"]
        assert bob.received[-1]["seq"] == 1


async def test_what_was_said_first_elsewhere_comes_first(autojump_clock: MockClock) -> None:
    """The batch is with the storage when the room moves on: it is drafted again behind that."""
    async with a_world(message_interval=1.0, message_grace=0.5) as world:
        alice, bob = await world.join("alice"), await world.join("bob", address="b")
        world.storage.may_append = trio.Event()
        alice.say("mine")
        await wait_all_tasks_blocked()
        say_elsewhere(world, "theirs")
        assert spoken(bob) == []
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert spoken(alice) == spoken(bob) == ["1 eve theirs", "2 alice mine"]
        assert world.turn.statistics().refused_batches == 0
        assert alice.closed is None  # it paid once, or would have been refused


async def test_who_comes_in_a_batch_that_was_too_late_comes_once(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice", v=2)
        world.storage.may_append = may_append = trio.Event()
        alice.say("one")
        await wait_all_tasks_blocked()
        alice.say("two")
        bob = await world.join("bob", v=2)  # waits, as what alice said last does
        world.storage.may_append = trio.Event()
        may_append.set()
        await wait_all_tasks_blocked()
        say_elsewhere(world, "theirs")
        world.storage.may_append.set()
        await trio.sleep(1)
        assert [brief for brief in bob.briefs() if brief == "ready"] == ["ready"]
        briefs = alice.briefs()
        assert briefs.count("joined bob") == 1
        assert "quit bob" not in briefs


async def test_an_id_that_was_said_elsewhere_meanwhile_is_a_repeat(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice, bob = await world.join("eve"), await world.join("bob")
        world.storage.may_append = trio.Event()
        alice.say("once", id="c1")
        await wait_all_tasks_blocked()
        say_elsewhere(world, "once", id="c1")
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        assert world.storage.texts() == ["once"]
        assert spoken(bob) == ["1 eve once"]
        assert spoken(alice) == ["1 eve once"] * 2  # as a member, and as the answer to its repeat


async def test_an_id_that_was_heard_is_known(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        eve = await world.join("eve")
        eve.say("first", id="c0")  # from now on the room has its ids in memory
        await wait_all_tasks_blocked()
        say_elsewhere(world, "once", id="c1")
        eve.say("once", id="c1")
        await wait_all_tasks_blocked()
        assert world.storage.texts() == ["first", "once"]


async def test_nothing_is_lost_that_many_say_everywhere(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        sockets = [await world.join(f"m{n}") for n in range(3)]
        for n in range(40):
            if n % 3 == 0 and world.storage.may_append.is_set():
                world.storage.may_append = trio.Event()
            sockets[n % 3].say(f"here {n}")
            if n % 2:
                say_elsewhere(world, f"there {n}")
            if n % 4 == 3:
                world.storage.may_append.set()
            await trio.sleep(0.01)
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        heard = spoken(sockets[0])
        assert [int(line.split()[0]) for line in heard] == list(range(1, 61))
        assert spoken(sockets[1]) == spoken(sockets[2]) == heard
        assert sorted(world.storage.texts()) == sorted(line.split(" ", 2)[2] for line in heard)


async def test_a_resume_from_a_line_that_is_on_its_way_waits_for_it(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world() as world:
        await world.join("alice")
        room = world.room()
        assert room is not None
        asked: list[int] = []

        async def reach(self: object, seq: int) -> None:
            asked.append(seq)
            say_elsewhere(world, "late", "later")

        monkeypatch.setattr("tests.rooms.fakes.FakeLog.reach", reach)
        world.storage.say_elsewhere(("late", None))
        token = {"seq": 1, "h": room.state.last.h.hex()}
        bob = await world.join("bob", v=2, since={**token, "seq": 3})
        assert asked == [3]
        assert bob.received[-1]["reason"] == "forked"  # its h is another line's
        carol = await world.join("carol", v=2, since={"seq": 3, "h": room.state.last.h.hex()})
        assert carol.received[-1]["recovered"] is True
        assert asked == [3]


async def test_a_history_that_forked_ends_the_room(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.fail_heard = HistoryChanged("another chain")
        say_elsewhere(world, "one")
        await wait_all_tasks_blocked()
        assert alice.closed == Close.RESTART
        assert spoken(alice) == []


async def test_an_answer_that_never_came_ends_the_room_without_a_word(
    autojump_clock: MockClock,
) -> None:
    """Neither stored nor refused: a refusal would say that nobody saw it."""
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.never_answered = True
        alice.take()
        alice.say("who knows")
        await wait_all_tasks_blocked()
        assert alice.closed == Close.RESTART
        assert [frame for frame in alice.take() if "code" in frame] == []


async def test_a_defect_in_hearing_ends_the_room(
    autojump_clock: MockClock, defects: pytest.LogCaptureFixture
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        world.storage.fail_heard = ZeroDivisionError("a defect")
        say_elsewhere(world, "one")
        await wait_all_tasks_blocked()
        assert alice.closed == Close.DEFECT


def tell(world: World, *news: News) -> None:
    (log,) = world.storage.open_here(LOBBY)
    log.tell(*news)


async def test_who_is_elsewhere_is_in_the_roster(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob", v=2)
        alice.take(), bob.take()
        tell(world, Others("n2", ["eve", "eve", "bob"], 0))
        assert alice.briefs() == ["joined eve", "joined eve", "joined bob"]
        assert bob.briefs() == ["joined eve"]  # one bob, and one eve
        carol = await world.join("carol", v=2)
        assert carol.briefs()[:3] == ["joined alice", "joined bob", "joined eve"]
        assert carol.received[-1]["members"] == 6
        alice.take(), bob.take()
        tell(world, Others("n2", ["eve"], 0))
        assert alice.briefs() == ["quit eve", "quit bob"]
        assert bob.briefs() == []
        tell(world, Others("n2", [], 0))
        assert (alice.briefs(), bob.briefs()) == (["quit eve"], ["quit eve"])


async def test_others_are_shown_who_is_here(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        await world.join("bob")
        (log,) = world.storage.open_here(LOBBY)
        alice.feed({"typing": True})
        alice.hang_up()
        await wait_all_tasks_blocked()
        assert log.shown[-1] == (["bob"], 0)
        assert (["alice", "bob"], 0) in log.shown


async def test_others_are_shown_who_came_with_a_line_that_was_stored_late(
    autojump_clock: MockClock,
) -> None:
    """Though nothing happens here afterwards."""
    async with a_world() as world:
        alice = await world.join("alice")
        (log,) = world.storage.open_here(LOBBY)
        world.storage.may_append = first = trio.Event()
        alice.say("one")
        await wait_all_tasks_blocked()
        alice.say("two")
        await world.join("bob")  # waits, as what alice said last does
        world.storage.may_append = second = trio.Event()
        first.set()
        await wait_all_tasks_blocked()
        second.set()
        await wait_all_tasks_blocked()
        assert log.shown[-1] == (["alice", "bob"], 0)


async def test_typing_elsewhere_is_told_to_those_who_may_know(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice, bob = await world.join("alice"), await world.join("bob", v=2)
        alice.take(), bob.take()
        tell(world, "eve")
        assert alice.take() == []
        assert bob.take() == [{"typing": ["eve"]}]
        bob.feed({"typing": True})
        await wait_all_tasks_blocked()
        (log,) = world.storage.open_here(LOBBY)
        assert log.typing == ["bob"]


async def test_a_crowd_elsewhere_makes_a_room_big(autojump_clock: MockClock) -> None:
    async with a_world(big_room=10) as world:
        bob = await world.join("bob", v=2)
        bob.take()
        tell(world, Others("n2", [f"e{n}" for n in range(5)], 20))
        await trio.sleep(1.1)
        assert bob.take() == [{"members": 26}]
        tell(world, Others("n2", ["e1"], 0))
        await trio.sleep(1.1)
        assert bob.take() == [{"members": 2, "roster": ["bob", "e1"]}]
