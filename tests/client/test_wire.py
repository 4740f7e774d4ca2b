from __future__ import annotations

import json

import pytest

from edgechat.chat.line import Token
from edgechat.client import wire
from edgechat.client.wire import BadFrame, ServerFrame


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"joined":"bob"}', ServerFrame(joined="bob")),
        ('{"typing":["bob","eve"]}', ServerFrame(typing=("bob", "eve"))),
        ('{"pong":7,"of a later protocol":[{}]}', ServerFrame(pong=7)),
        ('{"seq":4,"kind":"lost"}', ServerFrame(seq=4, kind="lost")),
        # A kind to come may use our keys otherwise.
        ('{"seq":4,"kind":"gone","message":3,"h":"ab"}', ServerFrame(seq=4, kind="gone", h="ab")),
    ],
)
def test_decode(text: str, frame: ServerFrame) -> None:
    assert wire.decode(text) == frame


@pytest.mark.parametrize(
    "text", ["", "hi", "[]", "7", '{"seq":"4"}', '{"joined":7}', "[" * 10_000, b"\xff"]
)
def test_what_is_no_frame(text: str) -> None:
    with pytest.raises(BadFrame):
        wire.decode(text)


def test_hello() -> None:
    hello = json.loads(wire.hello("alice", 5, None))
    assert hello == {"name": "alice", "v": 2, "backlog": 5}


def test_hello_again() -> None:
    hello = json.loads(wire.hello("alice", 5, Token(41, "ab")))
    assert hello["since"] == {"seq": 41, "h": "ab"}


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        wire.say("\ud800", "c1")
