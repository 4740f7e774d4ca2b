from __future__ import annotations

from math import inf

import pytest
import trio
from trio.testing import MockClock

from edgechat.chat.errors import Close
from edgechat.net.heartbeat import keep_heartbeat
from edgechat.settings import Settings


class Peer:
    """Answers pings, or not; says something every so often, or never."""

    def __init__(self, *, answers: bool = False) -> None:
        self.silence = 0
        self.pings: list[float] = []
        self.closed: list[tuple[float, Close]] = []
        self._answers = answers

    def ping(self) -> None:
        self.pings.append(trio.current_time())
        if self._answers:
            self.silence = 0

    def close(self, code: Close, reason: str = "") -> None:
        self.closed.append((trio.current_time(), code))


async def beat(
    *peers: Peer, until: float, patience: float = 10, talks: float = inf, joins: float = 0
) -> None:
    """Keep the heartbeat of 20 s that long; `talks`: every so many seconds all say something."""
    sockets: set[Peer] = set()
    async with trio.open_nursery() as nursery:
        settings = Settings(heartbeat=20.0, heartbeat_timeout=patience)
        nursery.start_soon(keep_heartbeat, sockets, settings)
        await trio.sleep(joins)
        sockets.update(peers)
        while trio.current_time() < until:
            await trio.sleep(min(talks, until - trio.current_time()))
            if talks < inf:
                for peer in peers:
                    peer.silence = 0
        nursery.cancel_scope.cancel()


# A tick is a quarter of 20 s. Silence is counted at 5, 10, 15 and 20 s: then the ping. 10 s of
# patience are two more ticks: closed at 30 s, and 5 s later once more, as it is still there.
async def test_the_dead_are_asked_and_let_go(autojump_clock: MockClock) -> None:
    dead = Peer()
    await beat(dead, until=36)
    assert dead.pings == [20]
    assert dead.closed == [(30, Close.SILENT), (35, Close.SILENT)]


# Silence is known to a tick: who came at 4.9 s has one at 5 s, and is asked at 20 s as well.
async def test_nobody_is_asked_before_three_quarters_of_an_interval(
    autojump_clock: MockClock,
) -> None:
    late, early = Peer(), Peer()
    await beat(late, until=21, joins=4.9)
    assert late.pings == [20]
    start = trio.current_time()
    await beat(early, until=start + 26, joins=5.1)
    assert early.pings == [start + 25]


# Asked at 20 s and then, as the answer counts as 0, every 20 s.
async def test_who_answers_stays(autojump_clock: MockClock) -> None:
    alive = Peer(answers=True)
    await beat(alive, until=3601)
    assert alive.pings == [20 * n for n in range(1, 181)]
    assert alive.closed == []


async def test_who_talks_is_not_asked(autojump_clock: MockClock) -> None:
    talker = Peer()
    await beat(talker, until=3600, talks=14)
    assert talker.pings == []


# Patience is rounded to ticks of 5 s, and is one of them at least.
@pytest.mark.parametrize(("patience", "closed"), [(0.1, 25), (5, 25), (12, 30), (20, 40)])
async def test_patience(autojump_clock: MockClock, patience: float, closed: float) -> None:
    dead = Peer()
    await beat(dead, until=closed + 1, patience=patience)
    assert dead.closed == [(closed, Close.SILENT)]
