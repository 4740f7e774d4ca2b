"""A mailbox, its phases, and who drains it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.commands import Speak
from edgechat.chat.errors import Refusal
from edgechat.chat.protocol import say
from edgechat.rooms.actor import Actor
from edgechat.rooms.phase import NEXT, Phase
from tests.chat.rooms import a_session

from .fakes import a_world


class Bare(Actor):
    """An actor that counts how often it joins a turn."""

    def __init__(self, size: int) -> None:
        super().__init__(size, self._count)
        self.turns = 0

    def _count(self, _: Actor) -> None:
        self.turns += 1


def a_command(text: str = "hi") -> Speak:
    return Speak(a_session(), say(text))


def texts(actor: Actor, most: int = 1_000) -> list[str]:
    return [one.say.text for one in actor.drain(most) if isinstance(one, Speak)]


async def test_only_an_actor_that_rests_joins_the_turn_and_once() -> None:
    actor = Bare(8)
    for phase, turns in ((Phase.WORKING, 0), (Phase.RESTING, 1)):
        actor.phase = phase
        actor.post_nowait(a_command())
        actor.post_nowait(a_command())
        assert actor.turns == turns
        actor.drain(8)


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.ENDED, Phase.OPENING])
async def test_nothing_is_put_into_a_turn_before_and_after(phase: Phase) -> None:
    actor = Bare(8)
    actor.phase = phase
    with pytest.raises(Refusal):
        actor.post_nowait(a_command())
    assert (actor.waiting, actor.turns) == (0, 0)


async def test_a_full_mailbox_keeps_its_order(autojump_clock: MockClock) -> None:
    actor = Bare(2)
    actor.phase = Phase.WORKING
    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(actor.post, a_command(str(n)))
            await wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            actor.post_nowait(a_command("no place"))
        got = texts(actor, 1)
        while len(got) < 5:
            await wait_all_tasks_blocked()
            assert actor.waiting
            got += texts(actor)
    assert got == ["0", "1", "2", "3", "4"]
    assert actor.waiting == 0


async def test_a_sender_that_is_cancelled_while_it_waits_is_not_counted(
    autojump_clock: MockClock,
) -> None:
    actor = Bare(1)
    actor.phase = Phase.WORKING
    scope = trio.CancelScope()

    async def send() -> None:
        with scope:
            await actor.post(a_command("waits"))

    async with trio.open_nursery() as nursery:
        await actor.post(a_command("first"))
        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        scope.cancel()
        assert texts(actor) == ["first"]  # in the very step
        await wait_all_tasks_blocked()
        assert texts(actor) == []
        await actor.post(a_command("last"))
        assert texts(actor) == ["last"]


async def test_a_task_that_waits_for_a_batch_goes_on_when_it_is_told(
    autojump_clock: MockClock,
) -> None:
    actor, steps = Bare(1), ["begun"]
    actor.phase = Phase.WORKING
    actor.begin_work()

    async def work() -> None:
        await actor.wait_rested()
        steps.append("rested")
        await actor.park(trio.current_time() + 5)
        steps.append("deadline")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        await wait_all_tasks_blocked()
        actor.wake()  # not before the batch is told
        await wait_all_tasks_blocked()
        assert steps == ["begun"]
        actor.rest()
        await wait_all_tasks_blocked()
        assert (steps, actor.phase) == (["begun", "rested"], Phase.RESTING)
    assert steps == ["begun", "rested", "deadline"]
    assert actor.phase is Phase.WORKING  # its task is awake


async def test_a_defect_reaches_the_task_even_while_a_batch_is_under_way(
    autojump_clock: MockClock,
) -> None:
    actor = Bare(1)
    actor.phase = Phase.WORKING
    actor.begin_work()

    async def work() -> None:
        with pytest.raises(ZeroDivisionError):
            await actor.wait_rested()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        await wait_all_tasks_blocked()
        actor.spoil(ZeroDivisionError())


async def test_a_room_goes_through_its_phases_as_the_table_says(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[Phase, Phase]] = set()
    actor_class: Any = Actor
    slot = actor_class.phase

    def watched(actor: Actor, phase: Phase) -> None:
        before = befores.get(id(actor))
        if before is not None and before is not phase:
            seen.add((before, phase))
        befores[id(actor)] = phase
        slot.__set__(actor, phase)

    befores: dict[int, Phase] = {}
    monkeypatch.setattr(Actor, "phase", property(slot.__get__, watched))
    async with a_world(room_idle=1) as world:
        for stop in (False, True):
            befores.clear()
            alice, bob = await world.join("alice"), await world.join("bob")
            world.storage.may_append = trio.Event()
            alice.say("a", "c1")
            bob.say("b")
            await wait_all_tasks_blocked()
            world.storage.may_append.set()
            room = world.room()
            assert room is not None
            if stop:
                room.stop()
            alice.hang_up()
            bob.hang_up()
            await trio.sleep(3)
            assert world.room() is None
    assert {after for _, after in seen} >= {Phase.RESTING, Phase.WORKING, Phase.ENDED}
    assert not [(a, b) for a, b in seen if b not in NEXT[a]]
