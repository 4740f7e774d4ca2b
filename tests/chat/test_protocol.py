from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgechat.chat import outgoing, protocol
from edgechat.chat.errors import Close, Refusal
from edgechat.chat.line import Token
from edgechat.chat.message import check_message
from edgechat.chat.protocol import Hello, Ping, Typing, say

from .rooms import frames

HELLOS = {
    '{"name":"alice"}': Hello("alice"),
    '{"name":""}': Hello(None),
    '{"name":null}': Hello(None),
    "{}": Hello(None),
    '{"name":"alice","v":2}': Hello("alice", v2=True),
    '{"name":"alice","v":1}': Hello("alice"),
    '{"name":"alice","v":3}': Hello("alice", v2=True),
    '{"name":"a","backlog":-5}': Hello("a", backlog=-5),
    '{"name":"a","since":null,"backlog":null}': Hello("a"),
    '{"name":"a","since":{"seq":41,"h":"00"}}': Hello("a", since=Token(41, "00")),
    '{"name":"a","since":{"seq":1000000000000000000000,"h":""}}': Hello(
        "a", since=Token(10**21, "")
    ),
    '{"name":"a","of a":"later protocol"}': Hello("a"),
    '{"name":"\\u00e4\\ud83d\\ude00"}': Hello("ä😀"),
}

COMMANDS = {
    '{"message":"hi"}': say("hi"),
    '{"message": "hi", "id": "c1"}': say("hi", "c1"),
    '{"message":"hi","id":"c1"}': say("hi", "c1"),
    '{"id":"c1","message":"hi"}': say("hi", "c1"),
    '{"message":"","id":"c1"}': say("", "c1"),
    '{"message":"a","id":"' + "x" * 64 + '"}': say("a", "x" * 64),
    '{"message":"say \\"hi\\""}': say('say "hi"'),
    '{"message":"\\ud83d\\ude00"}': say("😀"),
    '{"message":"hi","name":"ignored"}': say("hi"),
    '{"mess\\u0061ge":"hi"}': say("hi"),
    '{"typing":true}': Typing(),
    '{"ping":7}': Ping(7),
    ' {"ping":-1} \n': Ping(-1),
}

NEVER_FRAMES = [
    "",
    "hi",
    "[]",
    "7",
    "null",
    '"message"',
    "{",
    '{"ping":1}{"ping":2}',
    '\ufeff{"ping":1}',
    "{'ping':1}",
    # Wrong types.
    '{"message":7}',
    '{"message":null}',
    '{"message":["hi"]}',
    '{"message":"hi","id":7}',
    '{"message":"hi","id":null}',
    '{"name":7}',
    '{"name":["a"]}',
    '{"typing":"yes"}',
    '{"typing":1}',
    '{"ping":"7"}',
    '{"ping":1.5}',
    '{"ping":true}',
    '{"name":"a","v":"2"}',
    '{"name":"a","v":[2]}',
    '{"name":"a","backlog":"9"}',
    '{"name":"a","backlog":1.5}',
    '{"name":"a","since":41}',
    '{"name":"a","since":{}}',
    '{"name":"a","since":{"seq":-1,"h":""}}',
    '{"name":"a","since":{"seq":"1","h":""}}',
    # Numbers that are none, or are too large.
    '{"ping":NaN}',
    '{"ping":Infinity}',
    '{"ping":1e400}',
    '{"ping":9007199254740993}',
    '{"ping":' + "9" * 5000 + "}",
    '{"message":"hi","later":NaN}',
    '{"message":"hi","later":' + "9" * 5000 + "}",
    '{"name":"a","later":NaN}',
    # Lone surrogates.
    '{"message":"\\ud800"}',
    '{"message":"\\udc00 hi"}',
    '{"message":"\ud800"}',
    '{"message":"hi","later":"\\ud800"}',
    '{"message":"hi","id":"\\ud800"}',
    '{"name":"\\ud800"}',
    '{"name":"\udfff"}',
    # Nesting.
    '{"message":"hi","later":{}}',
    '{"message":"hi","later":[]}',
    '{"message":"hi","later":["x"]}',
    '{"message":"hi","a":[[]],"b":1}',
    '{"ping":1,"a":[[]]}',
    '{"name":"a","later":{"x":{}}}',
    '{"message":"hi","later":' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"later":' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    # A key that stands twice.
    '{"message":"hi","message":"ho"}',
    '{"ping":1,"ping":2}',
    '{"name":"a","name":"b"}',
    '{"message":"hi","id":"c1","id":"c2"}',
    '{"message":"hi","mess\\u0061ge":"ho"}',
    '{"message":"hi","later":1,"later":2}',
    '{"name":"a","since":{"seq":1,"seq":2,"h":""}}',
]

BAD_IDS = ["", "x" * 65, "ä", "a\\u0000", "a\\n", "a\\u007f", "\\ud83d\\ude00"]


@pytest.mark.parametrize("text", HELLOS)
def test_hellos(text: str) -> None:
    assert protocol.parse_hello(text) == HELLOS[text]


@pytest.mark.parametrize("text", COMMANDS)
def test_commands(text: str) -> None:
    command = protocol.parse(text)
    assert command == COMMANDS[text]
    assert type(command) is type(COMMANDS[text])


@pytest.mark.parametrize("parse", [protocol.parse_hello, protocol.parse])
@pytest.mark.parametrize("text", NEVER_FRAMES, ids=lambda text: ascii(text[:40]))
def test_what_is_no_frame(text: str, parse: Callable[[str], object]) -> None:
    with pytest.raises(Refusal) as caught:
        parse(text)
    assert caught.value.code == "bad_frame"
    assert caught.value.close is None
    assert len(caught.value.text) < 300


@pytest.mark.parametrize("text", ['{"message":"hi"}', '{"ping":7}', '{"typing":true}'])
def test_nothing_comes_before_the_hello(text: str) -> None:
    with pytest.raises(Refusal, match="who you are"):
        protocol.parse_hello(text)


@pytest.mark.parametrize("text", ['{"name":"alice"}', "{}", '{"typing":false}', '{"id":"c1"}'])
def test_what_says_nothing_after_the_hello(text: str) -> None:
    with pytest.raises(Refusal, match="Expected"):
        protocol.parse(text)


PLAIN = {
    '{"message":"hi"}': say("hi"),
    '{"message":"hi","id":"c1"}': say("hi", "c1"),
    '{"message":"{[,:]}","id":"{:}"}': say("{[,:]}", "{:}"),
    '{"message":"日本 😀 é"}': say("日本 😀 é"),
    '{"message":"12345678901234567890"}': say("1234567890" * 2),
}


@pytest.mark.parametrize(("text", "message"), PLAIN.items(), ids=lambda value: ascii(value))
def test_what_is_taken_over_as_it_came(text: str, message: protocol.Say) -> None:
    """What it becomes in the line is what it is in the frame, and no byte is encoded again."""
    assert protocol.plain_say(text, max_chars=20) == protocol.parse(text) == message


@pytest.mark.parametrize(
    "text",
    [
        '{"message":"a\\nb"}',
        '{"message":"a\\u0041"}',
        '{"message":""}',
        '{"message":"  "}',
        '{"message":"123456789012345678901"}',
        '{"message":"a\x7f"}',
        '{"message":"a\x85b"}',
        '{"message":"a\nb"}',
        '{"message":"a\ud800"}',
        '{"message":"a","id":""}',
        '{"message":"a","id":"é"}',
        '{"message":"a","id":"' + "x" * 65 + '"}',
        '{"message":"a","id":"c1","id":"c2"}',
        '{"message":"a","message":"b"}',
        '{"message":"a","typing":true}',
        '{"message":"a","id":7}',
        '{"message":"a" }',
        '{"message":"a"} ',
        '{"message":"a"}{"message":"b"}',
        '{"message":"a","id":"b"}}',
        '{"message":"a","x":"b"}',
        '{"message": "a"}',
        '{"message":"',
        '{"message":"}',
        '{"message":""}"}',
        '{"id":"c1","message":"a"}',
        '{"typing":true}',
        "",
    ],
    ids=ascii,
)
def test_what_has_to_be_read_with_care(text: str) -> None:
    assert protocol.plain_say(text, max_chars=20) is None


QUOTES = ['{"message":"', '"}', '","id":"', '"', '"id":', "\\", "\\u0041", "{", "}", ",", ":"]
SIGNS = [" ", "a", "é", "\n", "\x7f", "\x85", "\u00a0", "\u2028", "\ud800", "😀", "x" * 25]
PIECES = st.sampled_from(QUOTES + SIGNS)


@given(
    st.lists(PIECES, max_size=8).map("".join)
    | st.text(max_size=40).map(lambda text: f'{{"message":"{text}"}}')
)
def test_a_short_cut_leads_where_the_long_way_does(text: str) -> None:
    plain = protocol.plain_say(text, max_chars=20)
    if plain is not None:
        assert plain == protocol.parse(text)
        check_message(plain, max_chars=20)
        assert json.loads(b"{" + plain.said)["message"] == plain.text


@pytest.mark.parametrize("id", BAD_IDS)
def test_an_id_that_may_not_be_one(id: str) -> None:
    with pytest.raises(Refusal, match="64 printable ASCII"):
        protocol.parse(f'{{"message":"hi","id":"{id}"}}')


# RFC 6455, section 5.2: 125, 65,535 and more bytes have lengths of 1, 3 and 9 bytes.
@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (511, "817e01ff"),
        (512, "817e0200"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_text_frames(size: int, head: str) -> None:
    payload = b"x" * size
    frame = outgoing.text_frame(payload)
    assert frame == bytes.fromhex(head) + payload
    assert outgoing.payload_of(frame) == payload


def test_events() -> None:
    events = [
        outgoing.joined(b'"b\\"ob"'),
        outgoing.quit(b'"bob"'),
        outgoing.typing(["alice", "bob"]),
        outgoing.members(300),
        outgoing.roster(300, ["bob"]),
        outgoing.lost(42),
        outgoing.pong(-7),
    ]
    assert frames(b"".join(events)) == [
        {"joined": 'b"ob'},
        {"quit": "bob"},
        {"typing": ["alice", "bob"]},
        {"members": 300},
        {"members": 300, "roster": ["bob"]},
        {"seq": 42, "kind": "lost"},
        {"pong": -7},
    ]


def test_errors_have_only_the_keys_that_say_something() -> None:
    bare = Refusal("bad_frame", "No.", close=Close.POLICY)
    full = Refusal("rate_limited", "Slow down.", id="c1", retry_after_ms=3200)
    assert frames(outgoing.error(bare)) == [{"error": "No.", "code": "bad_frame"}]
    assert frames(outgoing.error(full)) == [
        {"error": "Slow down.", "code": "rate_limited", "id": "c1", "retry_after_ms": 3200}
    ]


def test_ready_as_the_protocol_writes_it() -> None:
    frame = outgoing.ready(
        "lobby", Token(41, "9f86d081884c7d65"), 3, {"name_chars": 32}, {"recovered": True}
    )
    assert json.loads(outgoing.payload_of(frame)) == {
        "ready": True,
        "room": "lobby",
        "seq": 41,
        "h": "9f86d081884c7d65",
        "members": 3,
        "recovered": True,
        "limits": {"name_chars": 32},
    }
    frame = outgoing.ready("lobby", Token(0, "0" * 16), 1, {}, {}, "5f0c")
    assert json.loads(outgoing.payload_of(frame))["web"] == "5f0c"
