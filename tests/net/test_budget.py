"""What frames may cost, in arithmetic; `test_dear_frames.py` has the whole of it, in a server."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.net.budget import Bucket, Budget, Budgets
from edgechat.settings import Settings

# 10 a second, 20 at once, a pause of 2 s at most.
SETTINGS = Settings(
    frame_rate=10.0,
    frame_burst=20.0,
    address_frame_rate=20.0,
    address_frame_burst=40.0,
    frame_pause=2.0,
)


def test_so_many_at_once_and_so_many_a_second() -> None:
    bucket = Bucket(rate=10, burst=20, longest=2)
    assert [bucket.charge(1, 0) for _ in range(20)] == [0.0] * 20
    assert bucket.charge(1, 0) == pytest.approx(0.1)
    assert bucket.charge(1, 0) == pytest.approx(0.2)
    assert bucket.charge(1, 0.3) == 0.0  # three came back, and one was taken
    assert [bucket.charge(1, 1.3 + n / 10) for n in range(100)] == [0.0] * 100
    assert [bucket.charge(1, 100) for _ in range(20)] == [0.0] * 20  # it is full again


def test_a_debt_has_an_end() -> None:
    bucket = Bucket(rate=10, burst=20, longest=2)
    assert bucket.charge(10_000, 0) == pytest.approx(2.0)
    assert bucket.charge(10_000, 1) == pytest.approx(2.0)
    assert bucket.charge(0, 3) == 0.0


async def pause_of(budget: Budget) -> float:
    start = trio.current_time()
    await budget.pause()
    assert not budget.spent
    return trio.current_time() - start


async def test_who_keeps_to_it_is_never_paused(autojump_clock: MockClock) -> None:
    budget = Budgets(SETTINGS).of("a")
    for _ in range(600):
        budget.charge()
        assert not budget.spent
        await trio.sleep(0.1)


async def test_who_does_not_waits_until_there_is_no_debt(autojump_clock: MockClock) -> None:
    budgets = Budgets(SETTINGS)
    budget = budgets.of(None)
    budget.charge(25)
    assert budget.spent
    assert await pause_of(budget) == pytest.approx(0.5)
    budget.charge(1_000)
    assert await pause_of(budget) == pytest.approx(2.0)
    assert budgets.statistics().pauses == 2


async def test_the_connections_of_an_address_share_one(autojump_clock: MockClock) -> None:
    budgets = Budgets(SETTINGS)
    crowd = [budgets.of("a") for _ in range(5)]
    for budget in crowd:
        budget.charge(10)
    assert [budget.spent for budget in crowd] == [False] * 4 + [True]
    other = budgets.of("b")
    other.charge(10)
    assert not other.spent


async def test_one_who_sends_nothing_dear_is_not_paused_for_the_others(
    autojump_clock: MockClock,
) -> None:
    budgets = Budgets(SETTINGS)
    flood, human = budgets.of("a"), budgets.of("a")
    for _ in range(100):
        flood.charge(16)
        assert not human.spent
        await flood.pause()
    human.charge()
    assert await pause_of(human) <= 2.0, "and one that does waits a moment, whatever the others do"


async def test_a_new_connection_does_not_begin_anew(autojump_clock: MockClock) -> None:
    budgets = Budgets(SETTINGS)
    for _ in range(4):
        budgets.of("a").charge(10)
    late = budgets.of("a")
    late.charge(1)
    assert late.spent
    await trio.sleep(60)
    later = budgets.of("a")
    later.charge(20)
    assert not later.spent


async def test_addresses_are_forgotten(autojump_clock: MockClock) -> None:
    settings = Settings(max_addresses=1_000)
    budgets = Budgets(settings)
    for number in range(5_000):
        budgets.of(f"a{number}").charge()
    assert budgets.statistics().addresses <= 1_000


async def test_zero_is_no_limit(autojump_clock: MockClock) -> None:
    budget = Budgets(Settings(frame_rate=0.0, address_frame_rate=0.0)).of("a")
    budget.charge(1_000_000)
    assert not budget.spent


# What a page sends besides messages: a ping of its own in 20 s, an answer to a ping of ours, a
# `typing` in 3 s; of messages that come too fast, all but one a second are refused. 30 people
# behind one address share one allowance, so nearly all they say at once is refused: 2 messages a
# second each (nobody types faster for long) are 60. With typing and pings: 60 + 10 + 3 = 73.
async def test_a_class_of_thirty_never_meets_it(autojump_clock: MockClock) -> None:
    budgets = Budgets(Settings())
    people = [budgets.of("school") for _ in range(30)]
    for step in range(600):  # ten minutes
        for number, budget in enumerate(people):
            budget.charge(2)
            if (step + number) % 3 == 0:
                budget.charge()
            if (step + number) % 20 == 0:
                budget.charge(2)
        assert not any(budget.spent for budget in people)
        await trio.sleep(1)
    for budget in people:  # the bell: all leave, and come back at once
        budget.charge(10)
    assert not any(budget.spent for budget in people)


async def test_pauses_that_end_together_let_others_in_between(mock_clock: MockClock) -> None:
    budgets = Budgets(SETTINGS)
    order: list[str] = []

    async def go_on() -> None:
        budget = budgets.of(None)
        budget.charge(25)
        await budget.pause()
        order.append("paused")

    async def others() -> None:
        await wait_all_tasks_blocked()
        mock_clock.jump(1)
        while order.count("paused") < 4:
            order.append("others")
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(go_on)
        nursery.start_soon(others)
    went = [at for at, who in enumerate(order) if who == "paused"]
    assert len(went) == 4
    assert all(later - earlier > 1 for earlier, later in pairwise(went)), order
