from __future__ import annotations

from edgechat.chat.allowance import Allowance


def spend_all(allowance: Allowance, now: float, count: int) -> list[float]:
    return [allowance.spend(now) for _ in range(count)]


def test_five_of_ten_with_an_interval_of_5_and_a_grace_of_20() -> None:
    # The first message is free at 0 and reserves until 5; the fifth starts at 20, just within
    # the grace, and reserves until 25. The sixth would start at 25: 25 - 0 - 20 = 5 s to wait.
    assert spend_all(Allowance(5, 20), 0, 10) == [0.0] * 5 + [5.0] * 5


def test_then_one_each_interval() -> None:
    allowance = Allowance(5, 20)
    spend_all(allowance, 0, 10)
    passed = [now for now in range(1, 21) if allowance.spend(now) == 0.0]
    assert passed == [5, 10, 15, 20]


def test_who_waits_as_told_passes_at_that_moment() -> None:
    allowance = Allowance(1, 10)
    spend_all(allowance, 100, 11)
    wait = allowance.spend(100.25)
    assert wait == 0.75
    assert allowance.spend(100.25 + wait) == 0.0


def test_what_is_refused_costs_nothing() -> None:
    allowance = Allowance(5, 20)
    spend_all(allowance, 0, 5)
    assert spend_all(allowance, 0, 1000) == [5.0] * 1000
    assert allowance.spend(5) == 0.0


def test_a_refund_is_exactly_what_was_spent() -> None:
    allowance = Allowance(5, 20)
    spend_all(allowance, 0, 4)
    for _ in range(3):
        assert allowance.spend(0) == 0.0
        allowance.refund()
    assert spend_all(allowance, 0, 2) == [0.0, 5.0]


def test_idle_is_when_a_fresh_one_would_answer_the_same() -> None:
    allowance = Allowance(5, 20)
    assert allowance.is_idle(0)
    spend_all(allowance, 0, 5)  # until 25
    assert not allowance.is_idle(24.9)
    assert allowance.is_idle(25)
    assert spend_all(allowance, 25, 6) == spend_all(Allowance(5, 20), 25, 6)


def test_no_time_saves_up() -> None:
    allowance = Allowance(5, 20)
    allowance.spend(0)
    assert spend_all(allowance, 1e6, 6) == [0.0] * 5 + [5.0]


def test_another_rule_keeps_what_was_spent() -> None:
    """At 0 s two at an interval of 5 s: as good as new at 10 s, so 1 s is 9 s too many."""
    allowance = Allowance(5.0, 20.0)
    allowance.spend(0.0)
    allowance.spend(0.0)
    allowance.change(1.0, 1.0)
    assert allowance.spend(0.0) == 9.0
    assert allowance.spend(9.0) == 0.0
    assert allowance.full_at == 11.0
