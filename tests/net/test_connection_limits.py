from __future__ import annotations

import pytest

from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.refused import FULL, TOO_FAST, TOO_MANY, Refused
from edgechat.settings import Settings


def limits_of(most: int, most_of_one: int, most_a_minute: int, **more: int) -> ConnectionLimits:
    return ConnectionLimits(
        Settings(
            max_connections=most,
            max_connections_per_address=most_of_one,
            max_opened_per_minute=most_a_minute,
            **more,  # type: ignore[arg-type]
        )
    )


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
    limits = limits_of(3, 0, 0)
    assert enter(limits, None, 0, 2) + enter(limits, "a", 0, 2) == 3
    assert limits.statistics().open == 3
    limits.leave(None)
    assert enter(limits, "b", 0, 2) == 1


def test_so_many_of_one_address_at_once() -> None:
    limits = limits_of(100, 64, 0)
    assert enter(limits, "a", 0, 70) == 64
    assert enter(limits, "b", 0, 1) == 1
    limits.leave("a")
    assert enter(limits, "a", 0, 2) == 1


def test_so_many_a_minute_though_they_leave() -> None:
    limits = limits_of(100, 0, 5)
    passed = []
    for now in range(130):
        if passes(limits, "a", now):
            limits.leave("a")
            passed.append(now)
    assert passed == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64, 120, 121, 122, 123, 124]
    assert enter(limits, "b", 129, 6) == 5


def test_who_is_refused_is_told_when_to_come_back() -> None:
    for limits, reason, seconds in (
        (limits_of(1, 0, 0), FULL, 5),
        (limits_of(9, 1, 0), TOO_MANY, 5),
        (limits_of(9, 0, 1), TOO_FAST, 60),
    ):
        limits.enter("a", 0)
        with pytest.raises(Refused) as refused:
            limits.enter("a", 0)
        assert refused.value.reason is reason
        assert f"\r\nRetry-After: {seconds}\r\n".encode() in reason.answer


def test_one_that_stays_counts_for_somebody_else() -> None:
    limits = limits_of(9, 1, 0)
    limits.enter("a", 0)
    limits.release("a")
    limits.claim("b", 0)
    assert [passes(limits, "a", 0), passes(limits, "b", 0)] == [True, False]
    assert limits.statistics().open == 2


def test_who_is_not_counted_is_not_limited() -> None:
    limits = limits_of(1000, 1, 1)
    assert enter(limits, None, 0, 500) == 500


def test_no_limit_of_one_address() -> None:
    limits = limits_of(500, 0, 0)
    assert enter(limits, "a", 0, 600) == 500


def test_what_is_refused_is_not_inside() -> None:
    limits = limits_of(10, 1, 0)
    assert enter(limits, "a", 0, 5) == 1
    assert limits.statistics().open == 1


def test_many_addresses_are_forgotten_after_their_minute() -> None:
    limits = limits_of(10, 0, 2)
    for number in range(10_000):
        assert passes(limits, f"a{number}", number)
        limits.leave(f"a{number}")
    # One a second: what was used in the last minute is remembered, and what in the one before it.
    assert limits.statistics().remembered <= 120
    assert limits.statistics().addresses == 0
    assert enter(limits, "a9999", 9_999, 5) == 1


def test_there_is_a_most_of_addresses_and_the_longest_unused_go_first() -> None:
    limits = limits_of(1_000_000, 0, 2, max_addresses=1_000)
    for number in range(5_000):
        assert passes(limits, f"a{number}", 0)
        if number % 100 == 0 and number < 200:
            assert passes(limits, "often", 0)
        elif number % 100 == 0:
            assert not passes(limits, "often", 0), "it was used all the time, and is remembered"
    assert limits.statistics().remembered <= 1_000


def test_who_comes_through_a_proxy_counts_when_it_is_known_who_it_is() -> None:
    limits = limits_of(3, 1, 0)
    for address in ("a", "b"):
        limits.enter(None, 0)
        limits.claim(address, 0)
    limits.enter(None, 0)
    with pytest.raises(Refused) as refused:
        limits.claim("a", 0)
    assert refused.value.reason is TOO_MANY
    limits.leave(None)
    limits.leave("a")
    assert limits.statistics().open == 1
    assert enter(limits, "a", 0, 2) == 1


class Counted(str):
    """An address that counts how often a table looks for its place."""

    __slots__ = ()
    lookups = 0

    def __hash__(self) -> int:
        Counted.lookups += 1
        return str.__hash__(self)

    __eq__ = str.__eq__


def test_one_connection_costs_the_same_however_many_addresses_there_are() -> None:
    """It was 30 ms each at 200,000 addresses: the table was rebuilt for every one."""
    limits = limits_of(10, 64, 120)
    most = 0
    for number in range(200_000):
        Counted.lookups = 0
        address = Counted(number)
        limits.enter(address, number / 20_000)
        limits.leave(address)
        most = max(most, Counted.lookups)
    assert most <= 16
    assert limits.statistics().remembered <= Settings().max_addresses


def test_other_limits_hold_from_then_on() -> None:
    limits = limits_of(2, 2, 0)
    assert enter(limits, "a", 0, 2) == 2
    limits.change(Settings(max_connections=3, max_connections_per_address=1))
    assert not passes(limits, "a", 0)
    assert passes(limits, "b", 0)
    limits.change(Settings(max_connections=1, max_connections_per_address=0))
    assert not passes(limits, "c", 0)
    for address in "aab":
        limits.leave(address)
    assert passes(limits, "c", 0)


def test_the_pages_files_are_counted_apart() -> None:
    """Forty files a visit, and thirty visitors: all of them can still open a WebSocket."""
    limits = ConnectionLimits(Settings(max_opened_per_minute=60))
    for _ in range(30 * 40):
        limits.enter("a", 0)
        assert limits.move_to_page("a", 0)
        limits.leave("a", page=True)
    assert enter(limits, "a", 0, 61) == 60
    assert limits.statistics().addresses == 1


def test_too_many_files_count_as_any_connection() -> None:
    limits = ConnectionLimits(Settings(max_opened_per_minute=5, max_files_per_minute=10))
    passed = 0
    for _ in range(30):
        if passes(limits, "a", 0):
            limits.leave("a", page=limits.move_to_page("a", 0))
            passed += 1
    assert passed == 15


def test_files_that_are_open_at_once() -> None:
    limits = ConnectionLimits(Settings(max_connections_per_address=4))
    for _ in range(4):
        limits.enter("a", 0)
        assert limits.move_to_page("a", 0)
    assert enter(limits, "a", 0, 3) == 3
    assert not limits.move_to_page("a", 0)
    limits.leave("a", page=True)
    assert limits.move_to_page("a", 0)
