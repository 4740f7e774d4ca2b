"""What well-formed input is made of, for each target: a fuzzer puts it together otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.serving.files import HEADER, make_lines
from tests.serving.wire import CLOSE, PING, frame, hello, say, upgrade

LINES = make_lines(4, ids=True)

SEEDS: Mapping[str, Sequence[bytes]] = {
    "door": [
        upgrade("lobby", b"Origin: https://friend.example"),
        b"GET /api/room/lobby/history?limit=5 HTTP/1.1\r\n",
        b"POST http://chat.example/api/room/lobby HTTP/1.1\r\n",
        b"Host: chat.example\r\n",
        b"Host: localhost:8080\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity, chunked\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n",
        b"Upgrade: websocket\r\n",
        b'Forwarded: for="[2001:db8::1]:80";proto=https, for=10.0.0.1\r\n',
        b"X-Forwarded-For: 203.0.113.7, 10.1.2.3\r\n",
        b"X: \x00\r\n",
        b" folded\r\n",
        b"X : y\r\n",
        b"\r\n\r\n",
        b"\n\n",
        b"0\r\n\r\n",
    ],
    "frames": [
        say("hi", id="c1"),
        hello("alice", v=2),
        frame(b"", PING),
        frame(b"\x03\xe8bye", CLOSE),
        frame(b"ab", fin=False),
        frame(b"c", 0),
        frame(b"x" * 200),
        frame(b"\xff"),
        frame(b"x", rsv=4),
        frame(b"x", masked=False),
        b"\x81\xfe",
        b"\x81\xff\x00\x00\x00\x00\xff\xff\xff\xff",
    ],
    "text": [
        b'{"message":"hi","id":"c1"}',
        b'{"name":"alice","v":2,"since":{"seq":5,"h":"0123456789abcdef"},"backlog":9}',
        b'{"ping":1}',
        b'{"typing":true}',
        b'"message"',
        b'{"message":"',
        b"\\ud83d\\ude00",
        b"\\ud800",
        b"\\u0000",
        b'","message":"',
        b'"}',
        b"[" * 50,
        b"9" * 50,
        b"1e999",
        b"NaN",
        "é\u202e\u200b\u0301".encode(),
    ],
    "names": [b"lobby", b"..", b"/", b"%2f", b"-", b"_", b" ", "ﬁ\u0301İ٣".encode(), b"ab" * 32],
    "addresses": [
        b"203.0.113.7, 10.0.0.1",
        b'for="[2001:db8::1]:4711";by=_x;proto=http',
        b"for=unknown",
        b"\n",
        b",",
        b'"',
        b"\\",
        b";",
        b"::ffff:10.0.0.1",
        b"fe80::1%eth0",
    ],
    "history": [
        *LINES,
        HEADER % b"0123456789abcdef",
        b"\n",
        b"\r\n",
        b"\0" * 70,
        LINES[0][:50],
        LINES[2][40:],
        b'{"seq":999999999999,"timestamp":1,"name":"x","message":"y","h":"0123456789abcdef"}',
        b'{"seq":0,"h":"0011223344556677"}',
    ],
}
