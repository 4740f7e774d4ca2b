"""Rooms in which members talk: the fan-out workloads."""

from __future__ import annotations

from dataclasses import dataclass

from bench.candidates import Candidate
from bench.load.clients import Clients
from bench.load.frames import NO_NAME, hello
from bench.load.load import Load
from bench.load.member import Member
from bench.load.messages import NumberedMessages
from bench.load.pace import Pace, one_in_flight, open_rate, windowed
from bench.load.sender import Sender
from bench.measurement import Figures, measure_chat
from bench.server import Server
from bench.workloads.workload import Workload

# `python -m bench.window` shows why: with two messages of each of ten senders under way, every
# server is busy all the time, and the strongest peer, uWebSockets, is at its best: from 32
# messages in a turn of its loop on, it sends each by itself. EdgeChat would gain from more.
FAIR_WINDOW = 2
JOIN_S = 180.0


@dataclass(frozen=True)
class Chat:
    """So many rooms, their members, how many of them send, and at what pace."""

    rooms: int
    members: int  # of each room
    senders: int  # of each room
    pace: Pace
    timed: int = 20  # of each room, the senders among them
    v2: bool = False

    def gather(self, clients: Clients, *, ids: bool = False, names: bool = True) -> Load:
        """Bring all members to `ready`; senders and timed ones are spread evenly over them."""
        extra = {"v": 2} if self.v2 else {}
        rooms = [
            [
                Member(f"room{room}", hello(f"n{number}" if names else NO_NAME, **extra))
                for number in range(self.members)
            ]
            for room in range(self.rooms)
        ]
        clients.join([member for room in rooms for member in room], timeout=JOIN_S)
        clients.settle()
        sending = [member for room in rooms for member in spread(room, self.senders)]
        senders = [Sender(m, NumberedMessages(key, ids=ids), key) for key, m in enumerate(sending)]
        return Load(clients, senders, [m for room in rooms for m in spread(room, self.timed)])

    def run(self, server: Server, candidate: Candidate, seconds: float) -> Figures:
        """CPU per delivery, deliveries a second, latency."""
        with Clients(server.port) as clients:
            load = self.gather(clients, ids=candidate.ids, names=candidate.names)
            return measure_chat(load, server, self.pace, seconds)


def spread(members: list[Member], count: int) -> list[Member]:
    """So many of them, at even distances, the last included."""
    count = min(count, len(members))
    return [members[(number + 1) * len(members) // count - 1] for number in range(count)]


def ten_senders(window: int = FAIR_WINDOW) -> Chat:
    """A room of 200, ten of them sending."""
    return Chat(1, 200, 10, windowed(window))


def rooms_of_two(rooms: int) -> Chat:
    """In each room, one member sends the next message when the last has come back."""
    return Chat(rooms, 2, 1, windowed(1), timed=1)


ONE = Chat(1, 200, 1, one_in_flight)
TEN = ten_senders()
SMALL = rooms_of_two(100)
OPEN = Chat(1, 1000, 20, open_rate(40), timed=100)

WORKLOADS = (
    Workload("one", "1 \u00d7 200, one in flight", ONE.run, ids=True),
    Workload("ten", "1 \u00d7 200, 10 senders", TEN.run, ids=True),
    Workload("small", "100 \u00d7 2", SMALL.run, ids=True),
    Workload("open", "1 \u00d7 1,000, open 40/s", OPEN.run),
)
