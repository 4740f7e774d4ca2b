from __future__ import annotations

from math import inf

import trio
from trio.testing import MockClock

from edgechat.metrics.loop_lag import BOUNDS, LoopLag


def test_each_bucket_counts_what_was_no_later() -> None:
    lag = LoopLag()
    for seconds in (-0.001, 0.001, 0.0011, 0.3, 7.0):
        lag.note(seconds)
    found = lag.statistics()
    counts = dict(zip(BOUNDS, found.counts, strict=True))
    assert (counts[0.001], counts[0.0025], counts[0.25], counts[0.5], counts[inf]) == (
        2,
        3,
        3,
        4,
        5,
    )
    assert abs(found.seconds - 7.3021) < 1e-9


async def test_it_looks_twice_a_second(mock_clock: MockClock) -> None:
    """One that is held up for 3.2 s at 0.6 s wakes at 3.8 s for what was due at 1.0 s."""
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(0.5)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(3.3)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    found = lag.statistics()
    assert found.counts[0] == 1
    assert found.counts[-1] == 2
    assert abs(found.seconds - 2.8) < 1e-9
