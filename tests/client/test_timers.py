from __future__ import annotations

from math import inf

from edgechat.client.timers import Liveness


def test_pings_once_after_silence() -> None:
    liveness = Liveness(interval=15, timeout=10)
    liveness.heard(0)
    assert liveness.wake_at == 15
    assert [liveness.ping(14.9), liveness.ping(15), liveness.ping(16)] == [None, 1, None]


def test_is_dead_when_a_ping_goes_unanswered() -> None:
    liveness = Liveness(interval=15, timeout=10)
    liveness.heard(0)
    liveness.ping(15)
    assert liveness.wake_at == 25
    assert not liveness.is_dead(24.9)
    assert liveness.is_dead(25)


def test_anything_heard_is_life() -> None:
    liveness = Liveness(interval=15, timeout=10)
    liveness.heard(0)
    liveness.ping(15)
    liveness.heard(24)
    assert not liveness.is_dead(25)
    assert liveness.wake_at == 39
    assert liveness.ping(39) == 2


def test_one_who_does_not_listen_judges_nobody() -> None:
    liveness = Liveness(interval=15, timeout=10)
    liveness.heard(0)
    liveness.ping(15)
    liveness.pause()
    assert liveness.wake_at == inf
    assert liveness.ping(1e9) is None
    assert not liveness.is_dead(1e9)
