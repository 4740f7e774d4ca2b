"""Many who join one room at once, and many who come back at once after a restart."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from bench.crowd import Crowd, LoadError, Member
from bench.frame import Sayings, hello, split
from bench.latency import summary
from bench.load import Sender
from bench.measurement import Figures, Stretch
from bench.process import Server

JOIN_S = 180.0
LINES = 200
MISSED = 100


def storm(server: Server, members: int, *, v2: bool) -> Figures:
    """All connect, upgrade and say hello at once. Wall time counts to the last `ready`, CPU until
    the last notice has been sent as well.
    """
    extra = {"v": 2} if v2 else {}
    crowd = Crowd(server.port)
    try:
        stretch = Stretch.begin(server)
        crowd.join([Member("storm", hello(f"n{n}", **extra), keep=True) for n in range(members)],
                   at_once=members, timeout=JOIN_S)  # fmt: skip
        ready = stretch.end()
        crowd.settle(quiet=1.0, timeout=JOIN_S)
        settled = stretch.end()
        if not v2:
            check_rosters(crowd)
        return {"wall_s": ready["wall_s"], "cpu_s": settled["cpu_s"],
                "ready_cpu_s": ready["cpu_s"],
                "disturbed": ready["disturbed"]} | waits(crowd)  # fmt: skip
    finally:
        crowd.close()


def check_rosters(crowd: Crowd) -> None:
    """Everybody has been told of everybody, once."""
    for member in crowd.members.values():
        told = member.kept.count(b'{"joined":')
        if told != len(crowd.members):
            raise LoadError(f"told of {told} of {len(crowd.members)} members")


def waits(crowd: Crowd) -> Figures:
    """How long members waited from connecting to `ready`."""
    latency = summary(m.ready_ns - m.began_ns for m in crowd.members.values())
    assert latency is not None
    return {"p50_us": latency.p50, "p99_us": latency.p99, "max_us": latency.max}


@dataclass(frozen=True)
class Token:
    """Where a member was when the server went."""

    seq: int
    h: str

    def since(self) -> dict[str, object]:
        """As in a hello."""
        return {"seq": self.seq, "h": self.h}


def reconnect(server: Server, members: int) -> Figures:
    """All are back at once after a restart, each having missed 0 to 100 lines; all recover."""
    tokens = talk_before(server)
    stopped = server.stop()
    server.start_again()
    started = server.wait_listening()
    crowd = Crowd(server.port)
    chosen = [tokens[len(tokens) - 1 - number % (MISSED + 1)] for number in range(members)]
    try:
        stretch = Stretch.begin(server)
        returning = [Member("lobby", hello(f"n{n}", v=2, since=token.since()), keep=True)
                     for n, token in enumerate(chosen)]  # fmt: skip
        crowd.join(returning, at_once=members, timeout=JOIN_S)
        ready = stretch.end()
        crowd.settle(quiet=1.0, timeout=JOIN_S)
        settled = stretch.end()
        check_recovered(crowd, chosen, tokens)
        return {"wall_s": ready["wall_s"], "cpu_s": settled["cpu_s"], "stop_s": stopped,
                "start_s": started, "recovered": members,
                "disturbed": ready["disturbed"]} | waits(crowd)  # fmt: skip
    finally:
        crowd.close()


def talk_before(server: Server) -> list[Token]:
    """One member says 200 lines; returns the token after each."""
    crowd = Crowd(server.port)
    talker = Member("lobby", hello("talker", v=2), keep=True)
    crowd.join([talker])
    sender = Sender(talker, Sayings(0), 0)
    sender.say(time.perf_counter_ns(), LINES)
    crowd.settle(quiet=0.5)
    tokens = [Token(e["seq"], e["h"]) for e in events(talker) if "message" in e]
    crowd.close()
    if len(tokens) != LINES:
        raise LoadError(f"{len(tokens)} of {LINES} lines came back")
    return tokens


def events(member: Member) -> list[dict[str, Any]]:
    """All that a member was sent."""
    return [json.loads(payload) for payload in split(bytes(member.kept))[0]]


def check_recovered(crowd: Crowd, chosen: list[Token], tokens: list[Token]) -> None:
    """Everybody got every line after its own token, in order, and `recovered: true`."""
    for member, token in zip(crowd.members.values(), chosen, strict=True):
        got = events(member)
        lines = [Token(e["seq"], e["h"]) for e in got if "message" in e]
        ready = next(e for e in got if "ready" in e)
        if ready.get("recovered") is not True:
            raise LoadError(f"not recovered from {token}: {ready}")
        if lines != tokens[token.seq :]:
            raise LoadError(f"resumed from {token}, got {len(lines)} lines")
