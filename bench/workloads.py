"""The workloads, by name: what is done, for whom it makes sense, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import flooding, history, joining, starting, syncing, waiting
from bench.chatting import Chat, one_in_flight, open_rate, windowed
from bench.crowd import Crowd
from bench.measurement import Figures, talk
from bench.process import MakeCommand, Server, cores, serving
from bench.servers import Candidate

# `python -m bench.window` shows why: with two sayings of each of ten senders under way, every
# server is busy all the time, and the strongest peer, uWebSockets, is at its best: from 32
# messages in a turn of its loop on, it sends each by itself. EdgeChat would gain from more.
FAIR_WINDOW = 2

Run = Callable[[Server, Candidate, float], Figures]


@dataclass(frozen=True)
class Workload:
    """One row of the comparison."""

    key: str
    title: str
    run: Run
    quick: Run | None = None  # a smaller one for `--quick`, where less time is not enough
    floor: bool = True  # the floor can do it
    peers: bool = True  # any chat server can do it
    command: MakeCommand | None = None  # how to start the server, if not as usual
    rounds: int = 5  # at most; what takes long, or hardly varies, is not repeated as often


def chat(workload: Chat) -> Run:
    """A workload of talk, as a function of the server."""

    def run(server: Server, candidate: Candidate, seconds: float) -> Figures:
        crowd = Crowd(server.port)
        try:
            load = workload.gather(crowd, ids=candidate.ids)
            return talk(load, server, workload.pace, seconds)
        finally:
            crowd.close()

    return run


def ten_senders(window: int) -> Run:
    """A room of 200, ten of them talking."""
    return chat(Chat(1, 200, 10, windowed(window)))


def idle(connections: int) -> Run:
    """So many who say nothing."""
    return lambda server, _candidate, seconds: waiting.idle(server, connections, max(2, seconds))


def storm(members: int, *, v2: bool) -> Run:
    """So many joining one room at once."""
    return lambda server, _candidate, _seconds: joining.storm(server, members, v2=v2)


def reconnect(members: int) -> Run:
    """So many coming back after a restart."""
    return lambda server, _candidate, _seconds: joining.reconnect(server, members)


def flood(*, same_room: bool) -> Run:
    """One member sending at full speed."""
    return lambda server, _candidate, seconds: flooding.flood(server, seconds, same_room=same_room)


def long_room(lines: int) -> Run:
    """A history of so many lines."""
    return lambda server, _candidate, _seconds: history.long_room(server, lines)


def open_rooms(count: int) -> Run:
    """So many rooms that are open with nobody in them."""
    return lambda server, _candidate, _seconds: history.open_rooms(server, count)


def start(rooms: int) -> Run:
    """Starting with so many rooms on disk."""
    return lambda server, _candidate, _seconds: starting.start(server, rooms)


def disk(server: Server, _candidate: Candidate, seconds: float) -> Figures:
    """Durability `disk`, 100 senders."""
    return syncing.messages_an_fsync(server, seconds)


WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload("one", "1 \u00d7 200, one in flight", chat(Chat(1, 200, 1, one_in_flight))),
        Workload("ten", "1 \u00d7 200, 10 senders", ten_senders(FAIR_WINDOW)),
        Workload("small", "100 \u00d7 2", chat(Chat(100, 2, 1, windowed(1), timed=1))),
        Workload("open", "1 \u00d7 1,000, open 40/s",
                 chat(Chat(1, 1000, 20, open_rate(40), timed=100))),
        Workload("idle2k", "2,000 idle", idle(2_000), idle(1_000),
                 rounds=2),
        Workload("idle10k", "10,000 idle", idle(10_000), idle(2_000), rounds=1),
        Workload("storm", "2,000 joining one room", storm(2_000, v2=False),
                 storm(300, v2=False), floor=False, rounds=1),
        Workload("storm-v2", "2,000 joining one room, v2", storm(2_000, v2=True),
                 storm(300, v2=True), floor=False, peers=False, rounds=3),
        Workload("resume", "2,000 resuming after a restart", reconnect(2_000),
                 reconnect(300), floor=False, peers=False, rounds=3),
        Workload("flood", "40/s beside a flood, same room", flood(same_room=True),
                 floor=False, peers=False, rounds=3),
        Workload("flood-apart", "40/s beside a flood, other room", flood(same_room=False),
                 floor=False, peers=False, rounds=3),
        Workload("history", "a room of 1,000,000 lines", long_room(1_000_000),
                 long_room(100_000), floor=False, peers=False, rounds=1),
        Workload("rooms", "1,000 open rooms", open_rooms(1_000), open_rooms(200),
                 floor=False, peers=False, rounds=1, command=history.patient),
        Workload("start", "start, 10,000 rooms on disk", start(10_000), start(1_000),
                 floor=False, peers=False, rounds=1),
        Workload("disk", "100 senders, durability disk", disk,
                 floor=False, peers=False, rounds=2, command=syncing.command),
    )
}  # fmt: skip


def applies(workload: Workload, candidate: Candidate) -> bool:
    """Whether this server can be put under this load."""
    if candidate.key == "floor":
        return workload.floor
    if candidate.ids:
        return workload.key in ("one", "ten", "small")
    return workload.peers or candidate.resumes


def measure(workload: Workload, candidate: Candidate, seconds: float, *, quick: bool) -> Figures:
    """A fresh server under one workload."""
    run = workload.quick if quick and workload.quick else workload.run
    with serving(workload.command or candidate.command, core=cores()[0]) as server:
        return run(server, candidate, seconds)
