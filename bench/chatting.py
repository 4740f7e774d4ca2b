"""The ways to keep rooms busy: one saying in flight, a window for each sender, a fixed rate."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.crowd import Crowd, Member
from bench.frame import Sayings, hello
from bench.load import Load, Sender

Pace = Callable[[Load, float], None]


def one_in_flight(load: Load, seconds: float) -> None:
    """The next is said when everybody has got the last; the senders take turns."""
    size = len(load.crowd.members)
    end = time.perf_counter() + seconds
    turns = itertools.cycle(load.senders)
    while (now := time.perf_counter()) < end:
        goal = load.total + size
        next(turns).say(time.perf_counter_ns())
        while load.total < goal and now < end + 5:  # then `drain` says what is missing
            load.turn(1.0)


def windowed(window: int) -> Pace:
    """Each sender keeps `window` sayings under way, and says the next when its own comes back."""

    def pace(load: Load, seconds: float) -> None:
        end = time.perf_counter() + seconds
        load.window = window
        for sender in load.senders:
            sender.say(time.perf_counter_ns(), window)
        while time.perf_counter() < end:
            load.turn(0.1)

    return pace


def open_rate(a_second: float) -> Pace:
    """A fixed rate over all senders, whatever the server does.

    Latency counts from the moment a saying was meant for: being late with it is not forgiven,
    neither to the server nor to the load.
    """

    def pace(load: Load, seconds: float) -> None:
        begin, gap = time.perf_counter_ns(), 1e9 / a_second
        turns = itertools.cycle(load.senders)
        for number in range(int(seconds * a_second)):
            due = begin + int(number * gap)
            while (left := due - time.perf_counter_ns()) > 0:
                load.turn(left / 1e9)
            next(turns).say(due)

    return pace


@dataclass(frozen=True)
class Chat:
    """A workload of talk: rooms, their members, how many of them speak, and at what pace."""

    rooms: int
    members: int  # of each room
    senders: int  # of each room
    pace: Pace
    timed: int = 20  # of each room, the senders among them

    def gather(self, crowd: Crowd, *, ids: bool = False) -> Load:
        """Everybody joins; senders and listeners are spread evenly over the order of joining."""
        rooms = [
            [Member(f"room{room}", hello(f"n{number}")) for number in range(self.members)]
            for room in range(self.rooms)
        ]
        crowd.join([member for room in rooms for member in room])
        crowd.settle()
        speaking = [member for room in rooms for member in spread(room, self.senders)]
        senders = [Sender(m, Sayings(key, ids=ids), key) for key, m in enumerate(speaking)]
        return Load(crowd, senders, [m for room in rooms for m in spread(room, self.timed)])


def spread(members: list[Member], count: int) -> list[Member]:
    """So many of them, at even distances, the last included."""
    count = min(count, len(members))
    return [members[(number + 1) * len(members) // count - 1] for number in range(count)]
