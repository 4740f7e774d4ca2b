"""However many requests come at once, a few are begun at a time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from edgechat.http.turnstile import Turnstile


async def test_a_few_at_a_time_in_the_order_of_coming(autojump_clock: MockClock) -> None:
    inside: set[int] = set()
    most, came = 0, list[int]()

    async def visit(number: int) -> None:
        nonlocal most
        await trio.sleep(number / 1_000)
        await turnstile.enter(number)
        came.append(number)
        inside.add(number)
        most = max(most, len(inside))
        await trio.sleep(0.03)
        inside.remove(number)
        turnstile.leave(number)

    async with trio.open_nursery() as background:
        turnstile = Turnstile(4, 0.05, background)
        async with trio.open_nursery() as visits:
            for number in range(40):
                visits.start_soon(visit, number)
        background.cancel_scope.cancel()
    assert most == 4
    assert came == list(range(40))


async def test_who_stays_long_keeps_nobody_out(autojump_clock: MockClock) -> None:
    """Followers, slow bodies, clients that do not read."""
    async with trio.open_nursery() as background:
        turnstile = Turnstile(2, 0.05, background)
        for number in range(10):
            await turnstile.enter(number)
        assert trio.current_time() == 0.05 * 4
        await trio.sleep(1)
        for number in range(10):
            turnstile.leave(number)  # long ago
        await turnstile.enter("a")
        await turnstile.enter("b")
        assert trio.current_time() == 1.2
        background.cancel_scope.cancel()


async def test_who_gives_up_while_it_waits_takes_no_place(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as background:
        turnstile = Turnstile(1, 10.0, background)
        await turnstile.enter("first")
        with trio.move_on_after(1) as scope:
            await turnstile.enter("second")
        assert scope.cancelled_caught
        turnstile.leave("second")
        turnstile.leave("first")
        await turnstile.enter("third")
        assert trio.current_time() == 1
        background.cancel_scope.cancel()
