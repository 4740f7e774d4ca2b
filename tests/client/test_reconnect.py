from __future__ import annotations

import pytest

from edgechat.chat.errors import CLOSES, Return, after_close
from edgechat.client.failures import Expelled, Rejected, Unreachable
from edgechat.client.reconnect import Backoff, Ended, Reconnect
from edgechat.client.room_options import Options
from edgechat.client.wire import ServerFrame

AGAIN, LATER, NEVER = Return.BACK_OFF, Return.LATER, Return.NEVER
CUT = Ended()
OPTIONS = Options(random=lambda: 1.0, join_within=10, steady_after=10)


def joined(at: float = 0) -> Reconnect:
    reconnect = Reconnect(OPTIONS, now=0)
    reconnect.joined(at)
    return reconnect


def test_the_first_join_is_tried_for_some_time_only() -> None:
    reconnect = Reconnect(OPTIONS, now=0)
    # Tried at 0, 1, 3, 7; the next would be at 15, and 10 s are what it has: the last is at 10.
    assert [reconnect.wait(CUT, None, now) for now in (0, 1, 3, 7)] == [1, 2, 4, 3]
    with pytest.raises(Unreachable, match="lost"):
        reconnect.wait(CUT, None, 10)


def test_one_who_was_in_comes_back_forever() -> None:
    reconnect = joined()
    assert [reconnect.wait(CUT, None, now=2) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert reconnect.wait(CUT, None, now=10**6) == 30


def test_a_short_life_does_not_reset_the_back_off() -> None:
    reconnect = joined(0)
    assert reconnect.wait(CUT, None, now=9.9) == 1
    reconnect.joined(20)
    assert reconnect.wait(CUT, None, now=29.9) == 2


def test_a_steady_life_does() -> None:
    reconnect = joined(0)
    assert reconnect.wait(CUT, None, now=9.9) == 1
    reconnect.joined(20)
    assert reconnect.wait(CUT, None, now=30) == 1


def test_a_full_server_is_left_alone_for_longer() -> None:
    assert joined().wait(Ended(1013), None, now=2) == 8


@pytest.mark.parametrize(("asked", "seconds"), [(0.5, 1), (7, 7), (10**9, 300)])
def test_retry_after_is_honoured_within_reason(asked: float, seconds: float) -> None:
    assert joined().wait(Ended(status=503, retry_after=asked), None, now=2) == seconds


def test_rejected_with_the_servers_text() -> None:
    with pytest.raises(Rejected, match="404: Name too long") as caught:
        joined().wait(Ended(text="Name too long", status=404, error="not_found"), None, now=2)
    assert caught.value.status == 404


def test_expelled_with_the_error_before_the_close() -> None:
    error = ServerFrame(error="Name too long.", code="name_too_long")
    with pytest.raises(Expelled, match="Name too long") as caught:
        joined().wait(Ended(1009, "bye"), error, now=2)
    assert (caught.value.code, caught.value.error) == (1009, "name_too_long")


def test_expelled_without_one() -> None:
    with pytest.raises(Expelled, match="1008: bye"):
        joined().wait(Ended(1008, "bye"), None, now=2)


# How it ended.


@pytest.mark.parametrize("code", [*CLOSES, 1005, 1006, 4999])
def test_close_codes_are_those_of_the_table(code: int) -> None:
    assert Ended(code).then is after_close(code)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 407, 408, 500, 502, 503])
def test_what_a_middleman_answers_ends_nothing(status: int) -> None:
    assert Ended(status=status).then is AGAIN
    assert Ended(status=status, error="no_route").then is AGAIN


@pytest.mark.parametrize(
    ("status", "error", "then"),
    [
        (404, "not_found", NEVER),
        (403, "origin_refused", NEVER),
        (400, "bad_request", NEVER),
        (429, "too_many_requests", LATER),
        (429, "rate_limited", AGAIN),
        (503, "unavailable", AGAIN),
        (500, "internal_server_error", AGAIN),
    ],
)
def test_what_the_server_itself_answers(status: int, error: str, then: Return) -> None:
    assert Ended(status=status, error=error).then is then


# How long it waits.


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
