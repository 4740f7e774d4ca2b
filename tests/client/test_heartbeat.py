from __future__ import annotations

from math import inf

from edgechat.client.heartbeat import Heartbeat


def test_pings_once_after_silence() -> None:
    heartbeat = Heartbeat(interval=15, timeout=10)
    heartbeat.heard(0)
    assert heartbeat.wake_at == 15
    assert [heartbeat.ping(14.9), heartbeat.ping(15), heartbeat.ping(16)] == [None, 1, None]


def test_is_dead_when_a_ping_goes_unanswered() -> None:
    heartbeat = Heartbeat(interval=15, timeout=10)
    heartbeat.heard(0)
    heartbeat.ping(15)
    assert heartbeat.wake_at == 25
    assert not heartbeat.is_dead(24.9)
    assert heartbeat.is_dead(25)


def test_anything_heard_is_life() -> None:
    heartbeat = Heartbeat(interval=15, timeout=10)
    heartbeat.heard(0)
    heartbeat.ping(15)
    heartbeat.heard(24)
    assert not heartbeat.is_dead(25)
    assert heartbeat.wake_at == 39
    assert heartbeat.ping(39) == 2


def test_one_who_does_not_listen_judges_nobody() -> None:
    heartbeat = Heartbeat(interval=15, timeout=10)
    heartbeat.heard(0)
    heartbeat.ping(15)
    heartbeat.pause()
    assert heartbeat.wake_at == inf
    assert heartbeat.ping(1e9) is None
    assert not heartbeat.is_dead(1e9)
