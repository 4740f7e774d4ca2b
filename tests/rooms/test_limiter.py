from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from edgechat.chat.names import RoomKey
from edgechat.rooms.allowances import Allowances
from edgechat.rooms.limiter import AddressAllowance, Limiter, ReadingAllowance, Unlimited
from edgechat.settings import Settings

from .fakes import FakeSocket, World, a_world

KITCHEN = RoomKey("kitchen", private=False)


async def shout(socket: FakeSocket, count: int, word: str = "m") -> tuple[int, list[int]]:
    """Say that many things at once; returns how many came back, and the waits of the others."""
    socket.take()
    socket.feed(*[{"message": word, "id": f"{word}{number}"} for number in range(count)])
    await wait_all_tasks_blocked()
    came = socket.take()
    waits = [frame["retry_after_ms"] for frame in came if frame.get("code") == "rate_limited"]
    return sum("message" in frame for frame in came), waits


async def test_five_of_ten_over_two_rooms_of_one_address(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=20) as world:
        here, there = await world.join("here"), await world.join("there", key=KITCHEN)
        (shown, waits), (more, others) = await shout(here, 3), await shout(there, 7)
        # At 0, five may go: reserved until 5, 10, 15, 20 and 25; 25 - 0 is 5 over the grace.
        assert (shown + more, waits + others) == (5, [5000] * 5)
        stranger = await world.join("stranger", address="b")
        assert await shout(stranger, 5, "s") == (5, [])
        assert len(world.storage.texts()) + len(world.storage.texts(KITCHEN)) == 10


async def test_who_waits_as_told_is_heard(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=20) as world:
        alice = await world.join("alice")
        _, waits = await shout(alice, 6)
        await trio.sleep(waits[0] / 1000)
        alice.say("now", "c9")
        await wait_all_tasks_blocked()
        assert alice.briefs() == ["6 now"]


async def test_a_new_connection_has_no_new_allowance(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=20) as world:
        alice = await world.join("alice")
        await shout(alice, 5)
        alice.hang_up()
        again = await world.join("alice")
        again.say("again", "c9")
        await wait_all_tasks_blocked()
        assert again.briefs()[-1] == "error rate_limited"


async def test_a_limiter_expires_an_hour_after_its_last_use(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=1, message_grace=10, limiter_idle=3600) as world:
        alice = await world.join("alice")
        assert len(world.limiters) == 0  # none is needed before the first message
        await shout(alice, 1)
        await trio.sleep(1800)
        await shout(alice, 1)  # said before: it costs nothing and is no use of the limiter
        alice.say("last")
        await trio.sleep(3599)
        assert world.limiters.find("a") is not None
        await trio.sleep(2)
        assert world.limiters.find("a") is None
        assert await shout(alice, 12) == (12, [])  # m0 is a repeat; 11 are within the grace of 10 s


async def test_a_limiter_lives_for_as_long_as_forgetting_it_would_give_something_away(
    autojump_clock: MockClock,
) -> None:
    async with a_world(message_interval=100, message_grace=400, limiter_idle=10) as world:
        alice = await world.join("alice")
        await shout(alice, 5)  # reserved until 500, long after it was last used
        await trio.sleep(499)
        assert world.limiters.find("a") is not None
        await trio.sleep(2)
        assert world.limiters.find("a") is None


async def spend(world: World, address: str) -> float:
    return AddressAllowance(world.limiters, address).spend(trio.current_time())


async def test_very_many_addresses_let_the_idle_go_and_else_wait(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=0, max_limiters=3) as world:
        assert [await spend(world, address) for address in "abc"] == [0.0] * 3
        assert await spend(world, "d") == 1.0
        await trio.sleep(5)
        assert await spend(world, "d") == 0.0
        assert len(world.limiters) == 3


async def test_a_refund_to_a_limiter_that_has_gone_is_nothing(autojump_clock: MockClock) -> None:
    async with a_world(message_interval=5, message_grace=0, limiter_idle=1) as world:
        allowance = AddressAllowance(world.limiters, "a")
        assert allowance.spend(trio.current_time()) == 0.0
        allowance.refund()
        assert allowance.spend(trio.current_time()) == 0.0
        await trio.sleep(10)
        allowance.refund()
        assert len(world.limiters) == 0


def test_without_a_limit_nothing_costs_anything() -> None:
    nothing = Unlimited()
    assert [nothing.spend(0) for _ in range(1000)] == [0.0] * 1000
    nothing.refund()


READING = Settings(history_rate=2.0, history_burst=4.0)


async def test_looks_into_histories_have_an_allowance_of_their_own(
    autojump_clock: MockClock,
) -> None:
    limiter = Limiter(READING)
    now = trio.current_time()
    assert [limiter.read(now) for _ in range(6)] == [0, 0, 0, 0, 0, 0.5]
    assert limiter.spend(now) == 0.0
    assert limiter.read(now + 0.5) == 0.0
    assert limiter.read(now + 0.5) == 0.5


async def test_who_waits_for_its_turn_has_it_reserved(autojump_clock: MockClock) -> None:
    limiter = Limiter(READING)
    now = trio.current_time()
    waits = [limiter.reserve_read(now) for _ in range(8)]
    assert waits == [0, 0, 0, 0, 0, 0.5, 1.0, 1.5]
    assert limiter.read(now + 1.5) == 0.5


async def test_who_has_read_is_remembered_until_that_makes_no_difference(
    autojump_clock: MockClock,
) -> None:
    limiter = Limiter(Settings(history_rate=1.0, history_burst=10.0, limiter_idle=5.0))
    for _ in range(20):
        limiter.reserve_read(trio.current_time())
    assert not limiter.is_idle()
    await limiter.run()
    assert trio.current_time() == 20.0


@pytest.mark.parametrize(
    ("interval", "rate", "kind"),
    [
        (1.0, 20.0, AddressAllowance),
        (0.0, 20.0, ReadingAllowance),
        (0.0, 0.0, Unlimited),
    ],
)
async def test_either_may_be_without_a_limit(
    autojump_clock: MockClock, interval: float, rate: float, kind: type
) -> None:
    async with trio.open_nursery() as nursery:
        settings = Settings(message_interval=interval, history_rate=rate, history_burst=2.0)
        allowance = Allowances(nursery, settings).of("a")
        assert type(allowance) is kind
        now = trio.current_time()
        assert any(allowance.spend(now) for _ in range(20)) is bool(interval)
        assert any(allowance.read(now) for _ in range(9)) is bool(rate)
        nursery.cancel_scope.cancel()


async def test_where_messages_are_limited_only(autojump_clock: MockClock) -> None:
    limiter = Limiter(Settings(history_rate=0.0))
    assert {limiter.read(0.0) for _ in range(100)} == {0.0}
    assert {limiter.reserve_read(0.0) for _ in range(100)} == {0.0}
