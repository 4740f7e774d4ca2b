"""`room.ask`: a session that is not a member says something, and is told what became of it."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.commands import Speak
from edgechat.chat.errors import Refusal, StorageUnavailable
from edgechat.chat.protocol import say
from tests.chat.rooms import a_session

from .fakes import LOBBY, World, a_world


async def ask(world: World, text: str, id: str | None = None) -> bytes:
    room = world.rooms.get(LOBBY)
    with room.visit():
        return await room.ask(Speak(a_session("web"), say(text, id)))


async def test_the_answer_is_the_stored_line(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.take()
        line = await ask(world, "hi", "c1")
        assert json.loads(line) == alice.take()[0]
        assert world.storage.files[LOBBY] == [line]
        assert await ask(world, "hi", "c1") == line  # a repeat, and nobody else hears of it
        assert alice.take() == []


async def test_a_room_that_is_not_open_yet_is_waited_for(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        assert json.loads(await ask(world, "first"))["seq"] == 1


async def test_a_refusal_is_raised(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        await ask(world, "hi", "c1")
        with pytest.raises(Refusal) as conflict:
            await ask(world, "other", "c1")
        assert (conflict.value.code, conflict.value.id) == ("id_conflict", "c1")
        world.storage.fail_append = StorageUnavailable("No space left on device")
        with pytest.raises(Refusal) as full:
            await ask(world, "hi", "c2")
        assert full.value.code == "storage_unavailable"
        world.storage.fail_open = StorageUnavailable("Input/output error")
        await trio.sleep(world.settings.room_idle + 1)
        with pytest.raises(Refusal) as unreadable:
            await ask(world, "hi")
        assert unreadable.value.code == "storage_unavailable"


async def test_an_allowance_that_is_spent_is_a_refusal_too(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        session = a_session("web")
        room = world.rooms.get(LOBBY)
        session.allowance = Spent()
        with room.visit(), pytest.raises(Refusal) as refused:
            await room.ask(Speak(session, say("hi")))
        assert (refused.value.code, refused.value.retry_after_ms) == ("rate_limited", 3000)
        assert world.storage.texts() == []


class Spent:
    def spend(self, now: float) -> float:
        return 3.0

    def refund(self) -> None:
        raise AssertionError("nothing was taken")

    def read(self, now: float) -> float:
        return 3.0

    def reserve_read(self, now: float) -> float:
        return 3.0


async def test_who_does_not_wait_for_the_answer_leaves_nothing_behind(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        alice = await world.join("alice")
        alice.take()
        world.storage.may_append = trio.Event()
        with trio.move_on_after(1):
            await ask(world, "hi")
        world.storage.may_append.set()
        await wait_all_tasks_blocked()
        room = world.room()
        assert room is not None
        assert room.fanout._asking == {}
        assert alice.briefs() == ["1 hi"]  # it was under way, and is stored
