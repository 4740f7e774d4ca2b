from __future__ import annotations

import pytest

from edgechat.client.closes import Ended
from edgechat.client.comeback import Comeback
from edgechat.client.errors import Expelled, Rejected, Unreachable
from edgechat.client.frames import Frame
from edgechat.client.options import Options

CUT = Ended()
OPTIONS = Options(random=lambda: 1.0, join_within=10, steady_after=10)


def joined(at: float = 0) -> Comeback:
    comeback = Comeback(OPTIONS, now=0)
    comeback.joined(at)
    return comeback


def test_the_first_join_is_tried_for_some_time_only() -> None:
    comeback = Comeback(OPTIONS, now=0)
    # Tried at 0, 1, 3, 7; the next would be at 15, and 10 s are what it has.
    assert [comeback.wait(CUT, None, now) for now in (0, 1, 3)] == [1, 2, 4]
    with pytest.raises(Unreachable, match="lost"):
        comeback.wait(CUT, None, 7)


def test_one_who_was_in_comes_back_forever() -> None:
    comeback = joined()
    assert [comeback.wait(CUT, None, now=2) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert comeback.wait(CUT, None, now=10**6) == 30


def test_a_short_life_does_not_reset_the_back_off() -> None:
    comeback = joined(0)
    assert comeback.wait(CUT, None, now=9.9) == 1
    comeback.joined(20)
    assert comeback.wait(CUT, None, now=29.9) == 2


def test_a_steady_life_does() -> None:
    comeback = joined(0)
    assert comeback.wait(CUT, None, now=9.9) == 1
    comeback.joined(20)
    assert comeback.wait(CUT, None, now=30) == 1


def test_a_full_server_is_left_alone_for_longer() -> None:
    assert joined().wait(Ended(1013), None, now=2) == 8


@pytest.mark.parametrize(("asked", "seconds"), [(0.5, 1), (7, 7), (10**9, 300)])
def test_retry_after_is_honoured_within_reason(asked: float, seconds: float) -> None:
    assert joined().wait(Ended(status=503, retry_after=asked), None, now=2) == seconds


def test_rejected_with_the_servers_text() -> None:
    with pytest.raises(Rejected, match="404: Name too long") as caught:
        joined().wait(Ended(text="Name too long", status=404), None, now=2)
    assert caught.value.status == 404


def test_expelled_with_the_error_before_the_close() -> None:
    error = Frame(error="Name too long.", code="name_too_long")
    with pytest.raises(Expelled, match="Name too long") as caught:
        joined().wait(Ended(1009, "bye"), error, now=2)
    assert (caught.value.code, caught.value.error) == (1009, "name_too_long")


def test_expelled_without_one() -> None:
    with pytest.raises(Expelled, match="1008: bye"):
        joined().wait(Ended(1008, "bye"), None, now=2)
