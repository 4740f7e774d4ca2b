from __future__ import annotations

import pytest

from edgechat.client.backoff import Backoff


def test_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base=1, cap=30, random=lambda: 1.0)
    assert [backoff.delay() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_begins_anew_after_reset() -> None:
    backoff = Backoff(base=1, cap=30, random=lambda: 1.0, failures=5)
    backoff.reset()
    assert backoff.delay() == 1


def test_at_least_counts_as_so_many_failures() -> None:
    backoff = Backoff(base=1, cap=30, random=lambda: 1.0)
    assert [backoff.delay(at_least=3), backoff.delay()] == [8, 16]


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0)])
def test_jitter_is_full(random: float, seconds: float) -> None:
    assert Backoff(base=1, cap=30, random=lambda: random, failures=2).delay() == seconds


def test_a_year_of_failures_overflows_nothing() -> None:
    assert Backoff(base=1, cap=30, random=lambda: 1.0, failures=10**6).delay() == 30
