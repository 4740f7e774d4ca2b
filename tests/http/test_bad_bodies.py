"""Bodies that break the rules of HTTP are refused in the words of the API, and change nothing."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from edgechat.http import errors
from tests.serving.running import Bystander, Running, exchange

from .test_app import error

TARGET = "/api/room/lobby/messages"
HEAD = f"POST {TARGET} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        "zz\r\nhi\r\n0\r\n\r\n",
        "\r\n\r\n",
        "-2\r\nhi\r\n0\r\n\r\n",
        "2\r\nhi!!\r\n0\r\n\r\n",
        "2\r\nhi\r\nzz\r\n\r\n",
        "2\r\nhi\r\n0\r\nno colon\r\n\r\n",
        "f" * 30 + "\r\nhi",
    ],
)
async def test_chunks_that_are_none(server: Running, bystanders: Bystander, body: str) -> None:
    before = server.lines()
    answer = await exchange(server.port, f"{HEAD}{body}".encode())
    assert (answer.status, error(answer.body)) == (400, "bad_request")
    assert answer.headers["content-type"] == "application/json"
    assert server.lines() == before


async def test_chunks_that_are_some(server: Running) -> None:
    answer = await exchange(server.port, f"{HEAD}2\r\nhi\r\n3;x=y\r\n all\r\n0\r\n\r\n".encode())
    assert answer.status == 400  # " al" is three bytes, and then there is one too many
    answer = await exchange(server.port, f"{HEAD}2\r\nhi\r\n4;x=y\r\n all\r\n0\r\n\r\n".encode())
    assert answer.status == 201


def test_a_code_does_not_change_with_python() -> None:
    """Python 3.13 gave this status another name."""
    assert errors._CODES[HTTPStatus(RequestEntityTooLarge.code)] == "request_entity_too_large"
