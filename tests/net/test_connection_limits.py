from __future__ import annotations

from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.refused import Refused


def enter(limits: ConnectionLimits, address: str | None, now: float, count: int) -> int:
    """How many come in."""
    return sum(passes(limits, address, now) for _ in range(count))


def passes(limits: ConnectionLimits, address: str | None, now: float) -> bool:
    try:
        limits.enter(address, now)
    except Refused:
        return False
    return True


def test_so_many_in_all() -> None:
    limits = ConnectionLimits(most=3, most_of_one=0, most_a_minute=0)
    assert enter(limits, None, 0, 2) + enter(limits, "a", 0, 2) == 3
    assert limits.statistics().open == 3
    limits.leave(None)
    assert enter(limits, "b", 0, 2) == 1


def test_so_many_of_one_address_at_once() -> None:
    limits = ConnectionLimits(most=100, most_of_one=64, most_a_minute=0)
    assert enter(limits, "a", 0, 70) == 64
    assert enter(limits, "b", 0, 1) == 1
    limits.leave("a")
    assert enter(limits, "a", 0, 2) == 1


def test_so_many_a_minute_though_they_leave() -> None:
    limits = ConnectionLimits(most=100, most_of_one=0, most_a_minute=5)
    passed = []
    for now in range(130):
        if passes(limits, "a", now):
            limits.leave("a")
            passed.append(now)
    assert passed == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64, 120, 121, 122, 123, 124]
    assert enter(limits, "b", 129, 6) == 5


def test_who_is_not_counted_is_not_limited() -> None:
    limits = ConnectionLimits(most=1000, most_of_one=1, most_a_minute=1)
    assert enter(limits, None, 0, 500) == 500


def test_no_limit_of_one_address() -> None:
    limits = ConnectionLimits(most=500, most_of_one=0, most_a_minute=0)
    assert enter(limits, "a", 0, 600) == 500


def test_what_is_refused_is_not_inside() -> None:
    limits = ConnectionLimits(most=10, most_of_one=1, most_a_minute=0)
    assert enter(limits, "a", 0, 5) == 1
    assert limits.statistics().open == 1


def test_many_addresses_are_forgotten_after_their_minute() -> None:
    limits = ConnectionLimits(most=10, most_of_one=0, most_a_minute=2)
    for number in range(10_000):
        assert passes(limits, f"a{number}", number)
        limits.leave(f"a{number}")
    # One a second: 60 are within their minute; the table is swept when it passes 4,096.
    assert len(limits._opened) <= 4_096
    assert limits._open == {}
    assert enter(limits, "a9999", 9_999, 5) == 1
