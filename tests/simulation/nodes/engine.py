"""A twin of the engine (Valkey or Redis): what it keeps, and what it answers to a node's commands.

It knows the commands and the scripts that `edgechat.nodes` sends, no others, in the form in which
it sends them. `test_engine.py` holds it against a real server. It has no clock and no connections
of its own: `EngineHost` gives it both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from edgechat.nodes import scripts

from .resp import Error, Push, Status, Text, encode

_OOM = "OOM command not allowed when used memory > 'maxmemory'."
_SMALLER = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
_ZERO = "ERR The ID specified in XADD must be greater than 0-0"


class Refused(Exception):
    """The command fails with this error."""


@dataclass(slots=True)
class Stream:
    """Entries of one field: `seq-0` and what is in it."""

    entries: list[tuple[int, bytes]] = field(default_factory=list)
    last: int = 0

    def copy(self) -> Stream:
        return Stream(list(self.entries), self.last)


@dataclass(slots=True)
class State:
    """All keys, by kind."""

    strings: dict[bytes, bytes] = field(default_factory=dict)
    ends: dict[bytes, int] = field(default_factory=dict)  # of strings: when they go, in µs
    hashes: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    streams: dict[bytes, Stream] = field(default_factory=dict)
    sets: dict[bytes, dict[bytes, float]] = field(default_factory=dict)  # sorted ones

    def copy(self) -> State:
        """As it is now: what a replica has, or a file."""
        return State(
            dict(self.strings),
            dict(self.ends),
            {key: dict(fields) for key, fields in self.hashes.items()},
            {key: stream.copy() for key, stream in self.streams.items()},
            {key: dict(scores) for key, scores in self.sets.items()},
        )


class Client:
    """One connection, as the engine knows it."""

    def __init__(self) -> None:
        self.out: list[bytes] = []  # replies and pushes to be sent
        self.channels: dict[bytes, None] = {}


class Engine:
    """One engine process."""

    def __init__(self, run_id: str, now: Callable[[], int], state: State | None = None) -> None:
        """`now`: Unix time in µs."""
        self.run_id = run_id
        self.state = state or State()
        self.is_full = False  # no memory is left
        self.replicas = 0  # that have all
        self.loses: Callable[[Client], bool] = lambda client: False  # this push of lines to it
        self._now = now
        self._known: set[bytes] = set()  # scripts
        self._clients: dict[Client, None] = {}
        self._wrote = False  # in this script

    def connect(self) -> Client:
        client = Client()
        self._clients[client] = None
        return client

    def disconnect(self, client: Client) -> None:
        self._clients.pop(client, None)

    def do(self, client: Client, words: Sequence[bytes]) -> None:
        """Do what is asked; what is to be sent is in each client's `out`."""
        name = words[0].upper().decode()
        self._wrote = False
        try:
            reply = getattr(self, f"_do_{name.lower()}")(client, *words[1:])
        except Refused as refused:
            reply = Error(str(refused))
        if reply is not _NO_REPLY:
            client.out.append(encode(reply))

    # Connections and scripts.

    def _do_hello(self, _: Client, version: bytes, *words: bytes) -> dict[bytes, object]:
        assert version == b"3"
        assert words == (b"SETNAME", b"edgechat")
        return {b"server": b"redis", b"proto": 3, b"role": b"master"}

    def _do_ping(self, _: Client) -> Status:
        return Status("PONG")

    def _do_info(self, _: Client) -> Text:
        return Text(
            f"# Server\r\nredis_version:7.0.15\r\nrun_id:{self.run_id}\r\n# Memory\r\n"
            "maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n"
            "# Replication\r\nrole:master\r\n# Cluster\r\ncluster_enabled:0\r\n"
        )

    def _do_wait(self, _: Client, wanted: bytes, timeout: bytes) -> int:
        return self.replicas

    def _do_script(self, _: Client, word: bytes, *words: bytes) -> object:
        if word == b"FLUSH":
            self._known.clear()
            return Status("OK")
        assert word == b"LOAD"
        sha = sha1(words[0]).hexdigest().encode()
        assert sha in _SCRIPTS, "a script without a twin"
        self._known.add(sha)
        return sha

    def _do_evalsha(self, client: Client, sha: bytes, count: bytes, *words: bytes) -> object:
        if sha not in self._known:
            raise Refused("NOSCRIPT No matching script. Please use EVAL.")
        keys = int(count)
        return _SCRIPTS[sha](self, words[:keys], words[keys:])

    def _do_eval(self, client: Client, text: bytes, count: bytes, *words: bytes) -> object:
        sha = self._do_script(client, b"LOAD", text)
        assert isinstance(sha, bytes)
        return self._do_evalsha(client, sha, count, *words)

    def _do_subscribe(self, client: Client, *channels: bytes) -> object:
        for channel in channels:
            client.channels[channel] = None
            push = Push((b"subscribe", channel, len(client.channels)))
            client.out.append(encode(push))
        return _NO_REPLY

    def _do_unsubscribe(self, client: Client, *channels: bytes) -> object:
        for channel in channels:
            client.channels.pop(channel, None)
            push = Push((b"unsubscribe", channel, len(client.channels)))
            client.out.append(encode(push))
        return _NO_REPLY

    def _do_publish(self, _: Client, channel: bytes, data: bytes) -> int:
        return self._publish(channel, data)

    def _do_flushall(self, _: Client) -> Status:
        self.state = State()
        return Status("OK")

    # Keys.

    def _do_get(self, _: Client, key: bytes) -> bytes | None:
        return self._get(key)

    def _do_set(self, _: Client, key: bytes, value: bytes, nx: bytes) -> Status | None:
        assert nx == b"NX"
        self._grow()
        if self._get(key) is not None:
            return None
        self._set(key, value)
        return Status("OK")

    def _do_hget(self, _: Client, key: bytes, name: bytes) -> bytes | None:
        return self.state.hashes.get(key, {}).get(name)

    def _do_hmget(self, _: Client, key: bytes, *names: bytes) -> list[bytes | None]:
        found = self.state.hashes.get(key, {})
        return [found.get(name) for name in names]

    def _do_hgetall(self, _: Client, key: bytes) -> dict[bytes, bytes]:
        return self.state.hashes.get(key, {})

    def _do_hset(self, _: Client, key: bytes, *pairs: bytes) -> int:
        self._grow()
        fields = self.state.hashes.setdefault(key, {})
        before = len(fields)
        fields.update(zip(pairs[::2], pairs[1::2], strict=True))
        return len(fields) - before

    def _do_hdel(self, _: Client, key: bytes, name: bytes) -> int:
        fields = self.state.hashes.get(key, {})
        if fields.pop(name, None) is None:
            return 0
        if not fields:
            del self.state.hashes[key]
        return 1

    def _do_xrange(
        self, _: Client, key: bytes, first: bytes, last: bytes, *count: bytes
    ) -> list[list[object]]:
        assert last == b"+"
        stream = self.state.streams.get(key, Stream())
        after = -1 if first == b"-" else int(first.removeprefix(b"(").removesuffix(b"-0"))
        assert first == b"-" or first.startswith(b"(")
        found = [entry for entry in stream.entries if entry[0] > after]
        if count:
            assert count[0] == b"COUNT"
            found = found[: int(count[1])]
        return [[b"%d-0" % id, [b"l", data]] for id, data in found]

    def _do_xtrim(self, _: Client, key: bytes, minid: bytes, about: bytes, first: bytes) -> int:
        """As with one entry in each of its nodes: then `~` leaves no more than it has to."""
        assert (minid, about) == (b"MINID", b"~")
        stream, least = self.state.streams.get(key, Stream()), int(first.removesuffix(b"-0"))
        before = len(stream.entries)
        stream.entries = [entry for entry in stream.entries if entry[0] >= least]
        return before - len(stream.entries)

    def _do_zrange(
        self, _: Client, key: bytes, low: bytes, high: bytes, *words: bytes
    ) -> list[list[object]]:
        assert (high, words[:3], words[-1]) == (
            b"+inf",
            (b"BYSCORE", b"LIMIT", b"0"),
            b"WITHSCORES",
        )
        least = float(low.removeprefix(b"("))
        found = [
            (score, member)
            for member, score in self.state.sets.get(key, {}).items()
            if score > least or (score == least and not low.startswith(b"("))
        ]
        return [[member, score] for score, member in sorted(found)[: int(words[3])]]

    # The scripts.

    def _append(self, keys: Sequence[bytes], words: Sequence[bytes]) -> int:
        meta, stream, _, _ = keys
        after_seq, after_h, last_seq, last_h, header, channel, room, lines = words
        head = self._do_hmget(_NOBODY, meta, b"seq", b"h")
        if head[0] is None:
            if not header:
                return scripts.ABSENT
            fields = (b"seq", after_seq, b"h", after_h, b"header", header)
            self._do_hset(_NOBODY, meta, *fields)
        elif head != [after_seq, after_h]:
            if head == [last_seq, last_h]:
                return scripts.STORED
            entry = self._entry(stream, int(last_seq))
            return scripts.STORED if entry[-19:-3] == last_h else scripts.MOVED
        self._add(stream, int(last_seq), lines)
        self._do_hset(_NOBODY, meta, b"seq", last_seq, b"h", last_h)
        self._touch(keys, room)
        self._publish(channel, after_seq + b" " + lines)
        return scripts.STORED

    def _seed(self, keys: Sequence[bytes], words: Sequence[bytes]) -> int:
        meta, stream, _, _ = keys
        seq, h, header, room, lines = words
        if meta in self.state.hashes:
            return 0
        self._do_hset(_NOBODY, meta, b"seq", seq, b"h", h, b"header", header)
        self.state.streams.pop(stream, None)
        if lines:
            self._add(stream, int(seq), lines)
        self._touch(keys, room)
        return 1

    def _beat(self, keys: Sequence[bytes], words: Sequence[bytes]) -> list[object]:
        boot, lease = words[0], int(words[1])
        now = self._now() // 1_000_000
        self._grow()
        beats = self.state.sets.setdefault(keys[0], {})
        last = beats.get(boot)
        beats[boot] = float(now)
        for old in [one for one, at in beats.items() if at <= now - 3600]:
            del beats[old]
        alive = sorted((at, one) for one, at in beats.items() if at >= now - lease)
        return [int(last is None or last < now - lease), [one for _, one in alive]]

    def _spend(self, keys: Sequence[bytes], words: Sequence[bytes]) -> list[object]:
        now, interval = self._now(), int(words[0])
        owed: list[object] = []
        for key, messages in zip(keys, words[1:], strict=True):
            full_at = max(now, int(self._get(key) or 0))
            left = full_at + int(messages) * interval - now
            if left > 0:
                self._grow()
                self._set(key, b"%d" % (now + left))
                self.state.ends[key] = now + 1_000 * math.ceil(left / 1_000)
            else:
                self._wrote = True  # it was told to, whether or not there was anything
                self.state.strings.pop(key, None)
                self.state.ends.pop(key, None)
            owed.append(left)
        return owed

    # What they do.

    def _grow(self) -> None:
        """A command that needs memory; what a script began it may finish."""
        if self.is_full and not self._wrote:
            raise Refused(_OOM)
        self._wrote = True

    def _get(self, key: bytes) -> bytes | None:
        if self.state.ends.get(key, math.inf) <= self._now():
            del self.state.strings[key], self.state.ends[key]
        return self.state.strings.get(key)

    def _set(self, key: bytes, value: bytes) -> None:
        self.state.strings[key] = value
        self.state.ends.pop(key, None)

    def _entry(self, key: bytes, id: int) -> bytes:
        stream = self.state.streams.get(key, Stream())
        return next((data for at, data in stream.entries if at == id), b"")

    def _add(self, key: bytes, id: int, data: bytes) -> None:
        self._grow()
        if not id:
            raise Refused(_ZERO)
        stream = self.state.streams.get(key, Stream())
        if id <= stream.last:
            raise Refused(_SMALLER)
        self.state.streams[key] = stream
        stream.entries.append((id, data))
        stream.last = id

    def _touch(self, keys: Sequence[bytes], room: bytes) -> None:
        self._grow()
        tick = int(self._get(keys[3]) or 0) + 1
        self._set(keys[3], b"%d" % tick)
        self.state.sets.setdefault(keys[2], {})[room] = float(tick)

    def _publish(self, channel: bytes, data: bytes) -> int:
        listeners = [client for client in self._clients if channel in client.channels]
        push = encode(Push((b"message", channel, data)))
        for client in listeners:
            if not (data[:1].isdigit() and self.loses(client)):
                client.out.append(push)
        return len(listeners)


_NO_REPLY = object()
_NOBODY = Client()
_SCRIPTS: dict[bytes, Any] = {
    scripts.APPEND.sha.encode(): Engine._append,
    scripts.SEED.sha.encode(): Engine._seed,
    scripts.BEAT.sha.encode(): Engine._beat,
    scripts.SPEND.sha.encode(): Engine._spend,
}
