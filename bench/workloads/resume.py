"""Many members resume at once after a restart."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import hello, split
from bench.load.member import Member
from bench.load.messages import NumberedMessages
from bench.load.sender import Sender
from bench.measurement import Figures
from bench.server import Server
from bench.workloads.arrivals import arrive_at_once
from bench.workloads.workload import Run, Workload

LINES = 200
MISSED = 100


@dataclass(frozen=True)
class Token:
    """The last line that a member had seen when the server stopped."""

    seq: int
    h: str

    def since(self) -> dict[str, object]:
        """As in a hello."""
        return {"seq": self.seq, "h": self.h}


def resume(server: Server, count: int) -> Figures:
    """All are back at once after a restart, each having missed 0 to 100 lines; all recover."""
    tokens = talk_before(server)
    stopped = server.stop()
    server.start_again()
    started = server.wait_listening()
    chosen = [tokens[len(tokens) - 1 - number % (MISSED + 1)] for number in range(count)]
    members = [Member("lobby", hello(f"n{n}", v=2, since=token.since()), keep=True)
               for n, token in enumerate(chosen)]  # fmt: skip
    with Clients(server.port) as clients:
        figures = arrive_at_once(server, clients, members)
        check_recovered(members, chosen, tokens)
    return figures | {"stop_s": stopped, "start_s": started, "recovered": count}


def talk_before(server: Server) -> list[Token]:
    """One member sends 200 messages; returns the token after each."""
    with Clients(server.port) as clients:
        talker = Member("lobby", hello("talker", v=2), keep=True)
        clients.join([talker])
        Sender(talker, NumberedMessages(0), 0).send(time.perf_counter_ns(), LINES)
        clients.settle(quiet=0.5)
    tokens = stored(events(talker))
    if len(tokens) != LINES:
        raise LoadError(f"{len(tokens)} of {LINES} lines came back")
    return tokens


def events(member: Member) -> list[dict[str, Any]]:
    """All that a member was sent."""
    return [json.loads(payload) for payload in split(bytes(member.kept))[0]]


def stored(received: list[dict[str, Any]]) -> list[Token]:
    """The tokens of the lines among these events."""
    return [Token(event["seq"], event["h"]) for event in received if "message" in event]


def check_recovered(members: list[Member], chosen: list[Token], tokens: list[Token]) -> None:
    """Raise LoadError unless every member got `recovered: true` and exactly the lines after its
    token, in order.
    """
    for member, token in zip(members, chosen, strict=True):
        received = events(member)
        ready = next(event for event in received if "ready" in event)
        if ready.get("recovered") is not True:
            raise LoadError(f"not recovered from {token}: {ready}")
        if (lines := stored(received)) != tokens[token.seq :]:
            raise LoadError(f"resumed from {token}, got {len(lines)} lines")


def run(members: int) -> Run:
    """The workload with so many members."""
    return lambda server, _candidate, _seconds: resume(server, members)


WORKLOADS = (
    Workload("resume", "2,000 resuming after a restart", run(2_000), run(300),
             floor=False, peers=False, rounds=3),
)  # fmt: skip
