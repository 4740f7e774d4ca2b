"""The engine's twin and a real engine are asked the same, and answer the same."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import hiredis
import pytest

from edgechat.chat.names import RoomKey
from edgechat.nodes import keys, scripts
from edgechat.nodes.chain import Point
from edgechat.nodes.keys import RoomKeys, keys_of
from edgechat.nodes.level import append_words
from tests.nodes.engine import SERVER, needs_engine

from .engine import Client, Engine

SEQUENCES, CALLS = 150, 60
ROOMS = [keys_of(RoomKey(name, private=False)) for name in ("lobby", "tea")]
BOOTS = (b"b1", b"b2")
ADDRESSES = ("a", "b")
Words = tuple[Any, ...]


class Real:
    """A real engine, over two connections: one asks, one listens."""

    def __init__(self, path: Path) -> None:
        self._sockets = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        self._readers = [hiredis.Reader() for _ in range(2)]
        for each in self._sockets:
            each.settimeout(10)
            each.connect(str(path))

    def ask(self, words: Words, which: int = 0) -> Any:
        self._sockets[which].sendall(hiredis.pack_command(words))
        return self.read(which)

    def read(self, which: int) -> Any:
        while (reply := self._readers[which].gets()) is False:
            self._readers[which].feed(self._sockets[which].recv(65_536))
        return reply

    def pushes(self) -> list[Any]:
        """What was heard until now."""
        heard = []
        reply = self.ask(("PING",), 1)
        while isinstance(reply, hiredis.PushNotification):
            heard.append(list(reply))
            reply = self.read(1)
        return heard

    def now(self) -> int:
        seconds, micros = self.ask(("TIME",))
        return int(seconds) * 1_000_000 + int(micros)

    def close(self) -> None:
        for each in self._sockets:
            each.close()


class Twin:
    """The twin, in the same place."""

    def __init__(self) -> None:
        self.now = 0
        self.engine = Engine("1", lambda: self.now)
        self._clients = [self.engine.connect() for _ in range(2)]
        self._reader = hiredis.Reader()

    def ask(self, words: Words, which: int = 0) -> Any:
        sent = hiredis.Reader()
        sent.feed(hiredis.pack_command(words))
        self.engine.do(self._clients[which], sent.gets())
        (reply,) = self._take(self._clients[which])
        return reply

    def pushes(self) -> list[Any]:
        return [list(push) for push in self._take(self._clients[1])]

    def _take(self, client: Client) -> Sequence[Any]:
        replies = []
        for data in client.out:
            self._reader.feed(data)
            replies.append(self._reader.gets())
        client.out.clear()
        return replies


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    if SERVER is None:
        pytest.skip("there is no valkey-server or redis-server")
    with TemporaryDirectory(prefix="ec") as folder:
        path = Path(folder) / "engine.sock"
        words = ["--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", ""]
        # Else `XTRIM ~` keeps what is in one node with what is kept: a hundred entries.
        words += ["--stream-node-max-entries", "1"]
        process = subprocess.Popen(
            [SERVER, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "ready to accept connections at" in line.lower():
                break
        try:
            yield path
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture
def real(path: Path) -> Iterator[Real]:
    real = Real(path)
    real.ask(("CONFIG", "SET", "maxmemory", "0"))
    real.ask(("SCRIPT", "FLUSH"))
    yield real
    real.close()


def line(random: Random, h: str) -> bytes:
    return b'{"seq":%d,"m":"\xc3\xa4 \\"","h":"%b"}' % (random.randrange(4), h.encode())


def an_append(random: Random, room: RoomKeys) -> Words:
    hs = ("00112233445566aa", "00112233445566bb")
    after = Point(random.randrange(4), bytes.fromhex(random.choice(hs)))
    lines = [line(random, random.choice(hs)) for _ in range(random.choice((1, 1, 2)))]
    last = Point(after.seq + len(lines), bytes.fromhex(lines[-1][-18:-2].decode()))
    header = random.choice((b"", b'{"edgechat":1}\n'))
    return tuple(append_words(room, after, last, header, lines))


def a_seed(random: Random, room: RoomKeys) -> Words:
    h = random.choice(("00112233445566aa", "00112233445566bb"))
    lines = random.choice((b"", line(random, h) + b"\n"))
    words = (random.randrange(4), h, b"{}\n", room.room, lines)
    return ("EVALSHA", scripts.SEED.sha, 4, *room.for_scripts, *words)


def a_call(random: Random) -> Words:
    """Anything that a node may ask."""
    room = random.choice(ROOMS)
    boot = random.choice(BOOTS)
    others: list[Words] = [
        an_append(random, room),
        a_seed(random, room),
        ("EVALSHA", scripts.BEAT.sha, 1, keys.NODES, boot, random.choice((5, 0, -1))),
        (
            "EVALSHA",
            scripts.SPEND.sha,
            2,
            *map(keys.limit_of, ADDRESSES),
            1_000_000,
            *(random.choice((-3, -1, 0, 1, 2)) for _ in ADDRESSES),
        ),
        ("HMGET", room.meta, "seq", "h"),
        ("HGET", room.meta, "header"),
        ("HGETALL", room.roster),
        ("HSET", room.roster, boot, random.choice((b"[]", b"x y"))),
        ("HDEL", room.roster, boot),
        ("XRANGE", room.stream, "-", "+", "COUNT", random.choice((1, 100))),
        ("XRANGE", room.stream, f"({random.randrange(4)}-0", "+", "COUNT", 100),
        ("XTRIM", room.stream, "MINID", "~", f"{random.randrange(5)}-0"),
        ("GET", keys.CLOCK),
        ("ZRANGE", keys.TOUCHED, f"({random.randrange(4)}", "+inf", *BY_SCORE, "WITHSCORES"),
        ("SET", keys.FORMAT, random.choice((b"1", b"2")), "NX"),
        ("GET", keys.FORMAT),
        ("PUBLISH", room.channel, b"R{}"),
        ("PUBLISH", keys.WAITS, b""),
        ("PING",),
        ("WAIT", 0, 1),
        ("SCRIPT", "FLUSH"),
        ("SCRIPT", "LOAD", random.choice(scripts.ALL).text),
        ("EVAL", scripts.BEAT.text, 1, keys.NODES, boot, 5),
    ]
    weights = [30, 6, 3, 4] + [1] * 17 + [4, 1]
    return random.choices(others, weights)[0]


BY_SCORE = ("BYSCORE", "LIMIT", 0, 1_000)


def ask_both(real: Real, twin: Twin, words: Words) -> None:
    """One call. What goes by the time is called between two looks at the real one's clock."""
    timed = (
        words[1] in (scripts.SPEND.sha, scripts.BEAT.sha, scripts.BEAT.text)
        if len(words) > 1
        else False
    )
    before = real.now()
    reply = real.ask(words)
    after = real.now() if timed else before
    kept = twin.engine.state.copy()
    twin.now = before
    answer = twin.ask(words)
    if timed and str(reply) != str(answer) and words[1] != scripts.SPEND.sha:
        twin.now, twin.engine.state = after, kept  # a second began in between
        answer = twin.ask(words)
    if timed and before // 1_000_000 != after // 1_000_000:  # whichever of the two it was
        words_for_all = ("ZRANGE", keys.NODES, "-inf", "+inf", *BY_SCORE, "WITHSCORES")
        beats = dict(real.ask(words_for_all))
        if beats:
            twin.engine.state.sets[keys.NODES.encode()] = beats
    if timed and words[1] == scripts.SPEND.sha and isinstance(reply, list):
        spread = after - before
        assert all(0 <= b - a <= spread or a == b for a, b in zip(reply, answer, strict=True))
        for key in map(keys.limit_of, ADDRESSES):
            found = real.ask(("GET", key))
            assert (found is None) == (twin.engine._get(key.encode()) is None)
            if found is not None:
                assert abs(int(found) - int(twin.engine._get(key.encode()) or 0)) <= spread
                twin.engine.state.strings[key.encode()] = found
        return
    if isinstance(reply, Exception):
        assert str(answer).split(" script:")[0] == str(reply).split(" script:")[0], words
    else:
        assert answer == reply, words
        assert type(answer) is type(reply)


def questions(random: Random) -> Iterator[Words]:
    """All that can be seen of what is kept."""
    for room in ROOMS:
        yield ("HGETALL", room.meta)
        yield ("HGETALL", room.roster)
        yield ("XRANGE", room.stream, "-", "+")
    yield ("ZRANGE", keys.TOUCHED, "-inf", "+inf", *BY_SCORE, "WITHSCORES")
    yield ("ZRANGE", keys.NODES, "-inf", "+inf", *BY_SCORE, "WITHSCORES")
    yield ("GET", keys.CLOCK)
    yield ("GET", keys.FORMAT)


def begin(real: Real, twin: Twin) -> None:
    """Both are empty, know all scripts, and somebody listens."""
    for which in range(2):
        for each in (real, twin):
            each.ask(("HELLO", "3", "SETNAME", "edgechat"), which)
    channels = [room.channel for room in ROOMS]
    for words in [("FLUSHALL",), *(("SCRIPT", "LOAD", script.text) for script in scripts.ALL)]:
        assert twin.ask(words) == real.ask(words)
    for channel in channels:
        real.ask(("UNSUBSCRIBE", channel), 1)  # of the last sequence
    for word in ("SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"):
        for channel in channels:
            assert list(twin.ask((word, channel), 1)) == list(real.ask((word, channel), 1))


@needs_engine
@pytest.mark.parametrize("part", range(3))
def test_the_same_calls_have_the_same_answers(real: Real, part: int) -> None:
    for number in range(part, SEQUENCES, 3):
        random = Random(f"calls {number}")
        twin = Twin()
        begin(real, twin)
        for _ in range(random.randint(1, CALLS)):
            ask_both(real, twin, a_call(random))
            assert twin.pushes() == real.pushes()
        for words in questions(random):
            ask_both(real, twin, words)


@needs_engine
def test_without_memory_the_same_is_refused(real: Real) -> None:
    for number in range(40):
        random = Random(f"full {number}")
        twin = Twin()
        begin(real, twin)
        for _ in range(12):
            ask_both(real, twin, a_call(random))
        real.ask(("CONFIG", "SET", "maxmemory", "1"))
        twin.engine.is_full = True
        for _ in range(20):
            ask_both(real, twin, a_call(random))
        real.ask(("CONFIG", "SET", "maxmemory", "0"))
        twin.engine.is_full = False
        twin.pushes(), real.pushes()
        for words in questions(random):
            ask_both(real, twin, words)


@needs_engine
def test_an_allowance_that_is_full_is_not_kept(real: Real) -> None:
    twin = Twin()
    begin(real, twin)
    words = ("EVALSHA", scripts.SPEND.sha, 1, keys.limit_of("c"), 1_000, 5)
    real.ask(words)
    before = real.now()
    twin.now = before
    twin.ask(words)
    assert 0 < real.ask(("PTTL", keys.limit_of("c"))) <= 5
    twin.now = before + 5_000
    assert twin.ask(("GET", keys.limit_of("c"))) is None
