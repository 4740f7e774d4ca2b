"""Hand-overs are counted as they are: a model of what may be lost, and in which order."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.refused import Refused
from edgechat.settings import Settings
from edgechat.workers.held import Held
from edgechat.workers.messages import NOBODY

ADDRESSES = (None, "192.0.2.1", "192.0.2.2", "2001:db8::/64")
WORKERS = 3
MOST = 5


class Counted(NamedTuple):
    """What a connection counts for."""

    address: str | None
    page: bool


class HandOvers(RuleBasedStateMachine):
    """A front with its limits, and workers that take, end and die.

    A connection is in one of three places: on its way in a channel, with a worker, or ended with
    the word of it on its way back. A worker that dies takes all that is in its three places along.
    """

    def __init__(self) -> None:
        super().__init__()
        limits = Settings(max_connections_per_address=MOST, max_opened_per_minute=0)
        self.limits = ConnectionLimits(limits)
        self.held = [Held(self.limits.leave) for _ in range(WORKERS)]
        self.on_their_way: list[list[Counted]] = [[] for _ in range(WORKERS)]
        self.taken: list[list[Counted]] = [[] for _ in range(WORKERS)]
        self.ended: list[Counter[Counted]] = [Counter() for _ in range(WORKERS)]

    worker = st.integers(0, WORKERS - 1)

    @rule(worker=worker, address=st.sampled_from(ADDRESSES), wants_page=st.booleans())
    def hand_over(self, worker: int, address: str | None, wants_page: bool) -> None:
        there = self.all().count(Counted(address, page=False))
        try:
            self.limits.enter(address, 0.0)
        except Refused:
            assert address is not None
            assert there == MOST, "it was refused too early"
            return
        assert address is None or there < MOST, "it was let in though there are enough"
        page = address is not None and wants_page and self.limits.move_to_page(address, 0.0)
        self.held[worker].add(address, page=page)
        self.on_their_way[worker].append(Counted(address, page))

    @rule(worker=worker)
    def take(self, worker: int) -> None:
        if self.on_their_way[worker]:
            self.taken[worker].append(self.on_their_way[worker].pop(0))

    @rule(worker=worker, data=st.data())
    def end(self, worker: int, data: st.DataObject) -> None:
        if self.taken[worker]:
            at = data.draw(st.integers(0, len(self.taken[worker]) - 1))
            self.ended[worker][self.taken[worker].pop(at)] += 1

    @rule(worker=worker)
    def hear(self, worker: int) -> None:
        ended = self.ended[worker]
        counts, page = (
            {each.address or NOBODY: n for each, n in ended.items() if each.page is kind}
            for kind in (False, True)
        )
        self.held[worker].end(counts, page)
        self.ended[worker].clear()

    @rule(worker=worker)
    def die(self, worker: int) -> None:
        self.held[worker].end_all()
        self.held[worker] = Held(self.limits.leave)
        self.on_their_way[worker].clear()
        self.taken[worker].clear()
        self.ended[worker].clear()

    @rule(worker=worker)
    def lie(self, worker: int) -> None:
        """Of more than it has, a worker gives back what it has."""
        count = len(self.held[worker])
        self.held[worker].end({"198.51.100.1": 3}, {"198.51.100.1": 3})
        assert len(self.held[worker]) == count

    def all(self) -> list[Counted]:
        """What all connections count for."""
        ended = [each for counts in self.ended for each in counts.elements()]
        return [*chain(*self.on_their_way, *self.taken), *ended]

    @invariant()
    def as_many_as_there_are(self) -> None:
        there = self.all()
        statistics = self.limits.statistics()
        assert statistics.open == len(there) == sum(map(len, self.held))
        assert statistics.addresses == len({each.address for each in there} - {None})


TestHandOvers = HandOvers.TestCase
SLOW = [HealthCheck.too_slow]  # this is about the machine
TestHandOvers.settings = settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
