"""One member sends as fast as its socket accepts it: what does that cost the others?"""

from __future__ import annotations

from bench.load.clients import Clients
from bench.load.frames import hello, text_frame
from bench.load.load import Load
from bench.load.member import Member
from bench.load.messages import MARK, NumberedMessages
from bench.load.pace import open_rate
from bench.load.sender import Sender
from bench.measurement import Figures, Interval, deliveries_due, latency_figures, measure_chat
from bench.server import Server
from bench.workloads.chat import spread
from bench.workloads.workload import Run, Workload

MEMBERS, SENDERS, RATE = 20, 4, 40.0
FRAME = text_frame(b'{"message":"' + MARK + b'flood, flood, flood, flood, flood, floo"}')
BLOCK_FRAMES = 256


class Flood:
    """A member whose socket is written to whenever it is writable."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._block = memoryview(FRAME * BLOCK_FRAMES)
        self._sent = 0

    def push(self) -> None:
        """Write as much as the socket accepts without waiting."""
        try:
            self._sent += self.member.socket.send(self._block[self._sent % len(self._block) :])
        except BlockingIOError:
            return

    def finish(self, load: Load) -> int:
        """End with a whole frame; return how many were sent."""
        load.after_turn = None
        while rest := -self._sent % len(FRAME):
            at = self._sent % len(self._block)
            try:
                self._sent += self.member.socket.send(self._block[at : at + rest])
            except BlockingIOError:
                load.turn(0.001)
        return self._sent // len(FRAME)


def flood(server: Server, seconds: float, *, same_room: bool) -> Figures:
    """Others chat at 40 a second, first without the flood, then with it."""
    with Clients(server.port) as clients:
        members = [Member("calm", hello(f"n{number}")) for number in range(MEMBERS)]
        flooder = Member("calm" if same_room else "wild", hello("flood"))
        clients.join([*members, flooder])
        clients.settle()
        senders = [Sender(member, NumberedMessages(key), key)
                   for key, member in enumerate(spread(members, SENDERS))]  # fmt: skip
        load = Load(clients, senders, [])  # only senders are timed: parsing a flood takes long
        calm = measure_chat(load, server, open_rate(RATE), seconds)
        del load.latencies[:]
        return beside_flood(load, server, Flood(flooder), seconds, calm)


def beside_flood(
    load: Load, server: Server, flood: Flood, seconds: float, calm: Figures
) -> Figures:
    """The others' latency during the flood, beside theirs without."""
    interval = Interval.begin(server)
    load.after_turn = flood.push
    open_rate(RATE)(load, seconds)
    frames = flood.finish(load)
    room = flood.member.room
    receivers = sum(member.room == room for member in load.clients.members.values())
    load.drain(deliveries_due(load) + frames * receivers)
    sent = load.sent()
    sent[room] += frames
    load.check(sent)
    flooded = latency_figures(load)
    return {
        "disturbed": max(calm["disturbed"], interval.end()["disturbed"]),
        "flood_per_s": frames / seconds,
        "p99_us": flooded["p99_us"],
        "p50_us": flooded["p50_us"],
        "max_us": flooded["max_us"],
        "calm_p99_us": calm["p99_us"],
        "p99_ratio": flooded["p99_us"] / calm["p99_us"],
    }


def run(*, same_room: bool) -> Run:
    """The workload with the flood in the others' room or another."""
    return lambda server, _candidate, seconds: flood(server, seconds, same_room=same_room)


WORKLOADS = (
    Workload("flood", "40/s beside a flood, same room", run(same_room=True),
             floor=False, peers=False, rounds=3),
    Workload("flood-apart", "40/s beside a flood, other room", run(same_room=False),
             floor=False, peers=False, rounds=3),
)  # fmt: skip
