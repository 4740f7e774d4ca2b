from __future__ import annotations

import pytest

from edgechat.chat.errors import Close
from edgechat.client.closes import Ended, Return

AGAIN, LATER, NEVER = Return.AGAIN, Return.LATER, Return.NEVER


@pytest.mark.parametrize(
    ("code", "then"),
    [
        (1000, AGAIN),
        (1002, NEVER),
        (1005, AGAIN),
        (1006, AGAIN),
        (1007, NEVER),
        (1008, NEVER),
        (1009, NEVER),
        (1011, AGAIN),
        (1012, AGAIN),
        (1013, LATER),
        (4008, AGAIN),
        (4408, AGAIN),
        (4999, AGAIN),
    ],
)
def test_close_codes(code: int, then: Return) -> None:
    assert Ended(code).then is then


def test_what_the_server_means_is_what_the_client_does() -> None:
    never = {Close.PROTOCOL_ERROR, Close.INVALID_DATA, Close.POLICY, Close.TOO_BIG}
    assert {code for code in Close if Ended(code).then is NEVER} == never


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
