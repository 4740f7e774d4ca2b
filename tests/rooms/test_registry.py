from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.rooms.registry import Full, Registry


class Lamp:
    """Something that lives until it is put out."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.idle = False
        self.out = trio.Event()
        self.defect: Exception | None = None
        self.expired = False

    async def run(self) -> None:
        await self.out.wait()
        if self.defect:
            raise self.defect

    def is_idle(self) -> bool:
        return self.idle

    def stop(self) -> None:
        self.expired = True
        self.out.set()


@asynccontextmanager
async def a_directory(most: int = 100) -> AsyncIterator[Registry[str, Lamp]]:
    async with trio.open_nursery() as nursery:
        yield Registry(nursery, Lamp, most, "lamp")
        nursery.cancel_scope.cancel()


async def test_one_for_each_key() -> None:
    async with a_directory() as lamps:
        assert lamps.find("a") is None
        lamp = lamps.get("a")
        assert lamps.get("a") is lamp is lamps.find("a")
        assert lamps.get("b") is not lamp
        assert [lamp.key for lamp in lamps] == ["a", "b"]
        assert len(lamps) == 2


async def test_who_has_ended_is_replaced() -> None:
    async with a_directory() as lamps:
        lamp = lamps.get("a")
        lamp.out.set()
        await wait_all_tasks_blocked()
        assert lamps.find("a") is None
        assert lamps.get("a") is not lamp


async def test_a_defect_ends_one_alone_and_is_logged(defects: pytest.LogCaptureFixture) -> None:
    async with a_directory() as lamps:
        lamp, other = lamps.get("a"), lamps.get("b")
        lamp.defect = ZeroDivisionError("odd")
        lamp.out.set()
        await wait_all_tasks_blocked()
        assert list(lamps) == [other]
        assert lamps.get("a") is not lamp
        assert "ZeroDivisionError: odd" in defects.text


async def test_a_full_one_lets_an_idle_one_go() -> None:
    async with a_directory(most=3) as lamps:
        made = [lamps.get(key) for key in "abc"]
        made[1].idle = True
        new = lamps.get("d")
        assert set(lamps) == {made[0], made[2], new}
        assert [lamp.expired for lamp in made] == [False, True, False]


async def test_many_busy_ones_that_are_the_oldest_do_not_hide_the_idle() -> None:
    async with a_directory(most=300) as lamps:
        made = [lamps.get(f"n{number}") for number in range(300)]
        for lamp in made[64:]:
            lamp.idle = True
        for number in range(236):
            lamps.get(f"new {number}")
        with pytest.raises(Full):
            lamps.get("one too many")
        assert not any(lamp.expired for lamp in made[:64])
        assert all(lamp.expired for lamp in made[64:])
        found = lamps.statistics()
        assert (found.live, found.started, found.let_go, found.refused) == (300, 536, 236, 1)


async def test_a_full_one_of_which_none_is_idle_says_so_and_serves_those_who_are_in() -> None:
    async with a_directory(most=3) as lamps:
        made = [lamps.get(key) for key in "abc"]
        with pytest.raises(Full):
            lamps.get("d")
        assert lamps.get("a") is made[0]
        made[0].out.set()
        await wait_all_tasks_blocked()
        assert lamps.get("d").key == "d"


async def test_the_end_of_one_let_go_does_not_remove_its_successor() -> None:
    async with a_directory(most=1) as lamps:
        first = lamps.get("a")
        first.idle = True
        lamps.get("b").idle = True
        second = lamps.get("a")
        await wait_all_tasks_blocked()
        assert first.out.is_set()
        assert lamps.find("a") is second


async def test_all_may_be_walked_through_while_they_end(autojump_clock: MockClock) -> None:
    async with a_directory() as lamps:
        for key in "abc":
            lamps.get(key)
        for lamp in lamps:
            lamp.out.set()
            await wait_all_tasks_blocked()
        assert len(lamps) == 0
