"""An address's allowance over several workers: the long-run rate is exact, a burst is bounded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from edgechat.chat.allowance import Allowance
from edgechat.rooms.allowances import Allowances
from edgechat.settings import Settings
from edgechat.workers.ledger import Ledger

ADDRESS = "192.0.2.1"
SETTLE = 0.1


class Spender:
    """A worker, as far as allowances go: it answers at once, and settles later."""

    def __init__(self, number: int, nursery: trio.Nursery, settings: Settings, world: World):
        self.allowances = Allowances(nursery, settings, self)
        self.number = number
        self.world = world
        self.unsaid = 0

    def spent(self, address: str, messages: int) -> None:
        assert address == ADDRESS
        self.unsaid += messages

    def say(self) -> bool:
        return self.allowances.of(ADDRESS).spend(trio.current_time()) == 0.0

    def settle(self) -> None:
        unsaid, self.unsaid = self.unsaid, 0
        if unsaid:
            self.world.settle(self.number, unsaid)


class World:
    def __init__(self, workers: int, nursery: trio.Nursery, settings: Settings) -> None:
        self.ledger = Ledger(settings)
        self.workers = [Spender(number, nursery, settings, self) for number in range(workers)]

    def settle(self, number: int, messages: int) -> None:
        told = self.ledger.settle(number, {ADDRESS: messages}, trio.current_time())
        for each, full_at in told.items():
            self.workers[each].allowances.learn(ADDRESS, full_at[ADDRESS])


async def said_in(
    seconds: float, workers: int, pick: Callable[[int], list[int]], settings: Settings
) -> int:
    """How many messages pass of one who always tries, at the workers that `pick` says."""
    passed = step = 0
    async with trio.open_nursery() as nursery:
        world = World(workers, nursery, settings)
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            for number in pick(step):
                while world.workers[number].say():
                    passed += 1
            for worker in world.workers:
                worker.settle()
            step += 1
            await trio.sleep(SETTLE)
        nursery.cancel_scope.cancel()
    return passed


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize(
    "pick",
    [lambda step: list(range(8)), lambda step: [step % 8], lambda step: [step // 50 % 8]],
    ids=["everywhere", "in turn", "now here now there"],
)
async def test_the_rate_over_a_while(
    workers: int, pick: Callable[[int], list[int]], autojump_clock: trio.testing.MockClock
) -> None:
    """A burst is 11: at most one for each worker, and then one message a second over all."""
    settings = Settings(message_interval=1.0, message_grace=10.0)
    passed = await said_in(
        120.0, workers, lambda step: [n for n in pick(step) if n < workers], settings
    )
    assert passed <= 11 * workers + 120
    assert passed >= (115 if pick(0) == list(range(8)) else 11)


async def test_a_burst_is_paid_for(autojump_clock: trio.testing.MockClock) -> None:
    """33 at once with three workers; nothing passes anywhere until 22 of them are paid."""
    settings = Settings(message_interval=1.0, message_grace=10.0)
    async with trio.open_nursery() as nursery:
        world = World(3, nursery, settings)
        for worker in world.workers:
            assert sum(worker.say() for _ in range(50)) == 11
        for worker in world.workers:
            worker.settle()
        await trio.sleep(22.9)
        assert not any(worker.say() for worker in world.workers)
        await trio.sleep(0.2)
        assert [worker.say() for worker in world.workers] == [True, True, True]
        for worker in world.workers:
            worker.settle()
        await trio.sleep(2.0)
        assert not any(worker.say() for worker in world.workers)
        nursery.cancel_scope.cancel()


async def test_a_worker_that_was_replaced_is_told(autojump_clock: trio.testing.MockClock) -> None:
    settings = Settings(message_interval=1.0, message_grace=10.0)
    async with trio.open_nursery() as nursery:
        world = World(2, nursery, settings)
        old = world.workers[0]
        assert sum(old.say() for _ in range(50)) == 11
        old.settle()
        world.ledger.forget(0)
        world.workers[0] = new = Spender(0, nursery, settings, world)
        assert sum(new.say() for _ in range(50)) == 11, "it knows nothing yet"
        new.settle()
        await trio.sleep(11.5)
        assert not new.say(), "it was told what the old one had let through"
        nursery.cancel_scope.cancel()


@given(
    st.lists(
        st.tuples(st.floats(0.0, 5.0), st.integers(0, 2), st.integers(-2, 5)).filter(
            lambda each: each[2] != 0
        )
    )
)
def test_the_sum_is_that_of_one_allowance(spends: list[tuple[float, int, int]]) -> None:
    """Whoever spends, in whatever order: the ledger counts as one process would."""
    settings = Settings(message_interval=1.5, message_grace=10.0)
    ledger, alone, now = Ledger(settings), Allowance(1.5, 10.0), 0.0
    told: dict[int, float] = {}
    for pause, worker, messages in spends:
        now += pause
        alone.charge(messages, now)
        found = ledger.settle(worker, {ADDRESS: messages}, now)
        told |= {each: full_at[ADDRESS] for each, full_at in found.items()}
        for full_at in found.values():
            assert full_at[ADDRESS] == alone.full_at


def test_who_is_full_again_is_forgotten() -> None:
    ledger = Ledger(Settings(message_interval=1.0))
    for number in range(1_000):
        ledger.settle(0, {f"a{number}": 1}, number / 100)
    assert len(ledger) <= 210
    ledger.settle(0, {"last": 1}, 100.0)
    assert len(ledger) == 1


def test_who_spends_in_one_worker_costs_no_word() -> None:
    ledger = Ledger(Settings())
    assert ledger.settle(1, {ADDRESS: 3}, 0.0) == {}
    assert ledger.settle(1, {ADDRESS: 3}, 0.5) == {}
    assert set(ledger.settle(2, {ADDRESS: 1}, 0.6)) == {1, 2}


def test_another_rule_holds_from_then_on() -> None:
    ledger = Ledger(Settings(message_interval=1.0))
    ledger.settle(0, {ADDRESS: 1}, 0.0)
    ledger.change(Settings(message_interval=10.0))
    assert ledger.settle(1, {ADDRESS: 1}, 0.0) == {0: {ADDRESS: 11.0}, 1: {ADDRESS: 11.0}}
