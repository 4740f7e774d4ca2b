from __future__ import annotations

from edgechat.chat.line import Token
from edgechat.http.feed import AS_EVENTS, AS_NDJSON
from edgechat.rooms.follow import Start

H = "9f86d081884c7d65"
LINE = f'{{"seq":42,"timestamp":1,"name":"a","message":"b","h":"{H}"}}'.encode()
LOST = b'{"seq":43,"kind":"lost"}'
HEAD = Token(42, H)


def test_an_event_for_each_line() -> None:
    assert AS_EVENTS.encode([LINE, LOST]) == (
        b"id: 42:%b\ndata: %b\n\ndata: %b\n\n" % (H.encode(), LINE, LOST)
    )
    assert AS_NDJSON.encode([LINE, LOST]) == LINE + b"\n" + LOST + b"\n"
    assert AS_EVENTS.encode([]) == AS_NDJSON.encode([]) == b""


def test_how_it_begins() -> None:
    assert AS_EVENTS.begin(Start(42, HEAD, HEAD)) == f"id: 42:{H}\nretry: 2000\n\n".encode()
    assert AS_EVENTS.begin(Start(7, None, HEAD)) == b"retry: 2000\n\n"
    assert AS_NDJSON.begin(Start(42, HEAD, HEAD)) == b""
    reset = Start(7, None, HEAD, "forked")
    data = f'{{"reason":"forked","seq":42,"h":"{H}"}}'
    assert AS_EVENTS.begin(reset) == f"event: reset\ndata: {data}\n\nretry: 2000\n\n".encode()
    assert AS_NDJSON.begin(reset) == (
        f'{{"event":"reset","reason":"forked","seq":42,"h":"{H}"}}\n'.encode()
    )
