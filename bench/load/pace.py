"""The ways to keep rooms busy: one message in flight, a window for each sender, a fixed rate."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from bench.load.load import Load

Pace = Callable[[Load, float], None]


def one_in_flight(load: Load, seconds: float) -> None:
    """The next is sent when everybody has got the last; the senders take turns."""
    size = len(load.clients.members)
    end = time.perf_counter() + seconds
    turns = itertools.cycle(load.senders)
    while (now := time.perf_counter()) < end:
        goal = load.total + size
        next(turns).send(time.perf_counter_ns())
        while load.total < goal and now < end + 5:  # then `drain` says what is missing
            load.turn(1.0)


def windowed(window: int) -> Pace:
    """Each sender keeps `window` messages under way, and sends the next when its own comes back."""

    def pace(load: Load, seconds: float) -> None:
        end = time.perf_counter() + seconds
        load.window = window
        for sender in load.senders:
            sender.send(time.perf_counter_ns(), window)
        while time.perf_counter() < end:
            load.turn(0.1)

    return pace


def open_rate(a_second: float) -> Pace:
    """A fixed rate over all senders, whatever the server does.

    Latency counts from the moment a message was meant for: being late with it is not forgiven,
    neither to the server nor to the load.
    """

    def pace(load: Load, seconds: float) -> None:
        begin, gap = time.perf_counter_ns(), 1e9 / a_second
        turns = itertools.cycle(load.senders)
        for number in range(int(seconds * a_second)):
            due = begin + int(number * gap)
            while (left := due - time.perf_counter_ns()) > 0:
                load.turn(left / 1e9)
            next(turns).send(due)

    return pace
