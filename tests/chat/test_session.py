from __future__ import annotations

import pytest

from edgechat.chat.errors import Close, Refusal
from edgechat.chat.protocol import Hello, Ping, Typing, say
from edgechat.chat.session import Session, State
from edgechat.settings import Settings

from .rooms import Counted, a_session, frames

# state, frame, what it is there; None: refused, and the state stays.
TABLE = [
    (State.AWAITING_NAME, '{"name":"alice"}', Hello("alice")),
    (State.AWAITING_NAME, '{"message":"hi"}', None),
    (State.AWAITING_NAME, '{"ping":1}', None),
    (State.AWAITING_NAME, "[]", None),
    (State.CHATTING, '{"name":"alice"}', None),
    (State.CHATTING, '{"message":"hi"}', say("hi")),
    (State.CHATTING, '{"typing":true}', Typing()),
    (State.CHATTING, '{"ping":1}', Ping(1)),
    (State.CHATTING, "[]", None),
]


@pytest.mark.parametrize(("state", "text", "command"), TABLE)
def test_which_frames_mean_something_when(state: State, text: str, command: object) -> None:
    session = a_session() if state is State.CHATTING else Session(Counted(), Settings())
    assert session.state is state
    if command is None:
        with pytest.raises(Refusal) as caught:
            session.receive(text)
        assert caught.value.code == "bad_frame"
    else:
        assert session.receive(text) == command
    assert session.state is state


def test_the_hello_introduces_once_it_is_accepted() -> None:
    session = Session(Counted(), Settings())
    session.introduce('b"ob', v2=True)
    assert (session.state, session.name, session.v2) == (State.CHATTING, 'b"ob', True)
    assert frames(session.joined) == [{"joined": 'b"ob'}]


def refused(session: Session, text: str | None = "[]") -> Close | None:
    with pytest.raises(Refusal) as caught:
        session.receive(text)
    return caught.value.close


def test_the_tenth_bad_frame_in_a_row_closes() -> None:
    session = a_session()
    assert [refused(session) for _ in range(10)] == [None] * 9 + [Close.POLICY]


@pytest.mark.parametrize("good", ['{"ping":1}', '{"message":"hi"}', '{"message":"a\\nb"}'])
def test_a_good_frame_forgives_the_bad_ones_before(good: str) -> None:
    session = a_session()
    assert [refused(session) for _ in range(9)] == [None] * 9
    session.receive(good)
    assert [refused(session) for _ in range(10)] == [None] * 9 + [Close.POLICY]


def test_binary_frames_count_among_the_bad_ones() -> None:
    session = a_session()
    closes = [refused(session, None) for _ in range(9)]
    assert [*closes, refused(session)] == [None] * 9 + [Close.POLICY]


def test_typing_is_shown_every_three_seconds_at_most() -> None:
    session = a_session()
    # Typed at 0, 1, …, 9: shown at 0, 3, 6 and 9.
    shown = [now for now in range(10) if session.may_show_typing(now, 3.0)]
    assert shown == [0, 3, 6, 9]
