from __future__ import annotations

import pytest

from edgechat.chat.errors import CLOSES, Return, after_close
from edgechat.client.closes import Ended

AGAIN, LATER, NEVER = Return.BACK_OFF, Return.LATER, Return.NEVER


@pytest.mark.parametrize("code", [*CLOSES, 1005, 1006, 4999])
def test_close_codes_are_those_of_the_table(code: int) -> None:
    assert Ended(code).then is after_close(code)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (301, NEVER),
        (400, NEVER),
        (403, NEVER),
        (404, NEVER),
        (408, AGAIN),
        (425, AGAIN),
        (429, LATER),
        (500, AGAIN),
        (502, AGAIN),
        (503, AGAIN),
        (200, AGAIN),
    ],
)
def test_statuses_of_the_handshake(status: int, then: Return) -> None:
    assert Ended(status=status).then is then
