"""The load: who says what when, and the counting of what everyone gets.

Most members are only counted: one `recv_into` a wake-up, one `count` of the mark, no Python work
for a single delivery. Senders, and a few more spread over the room, are *timed*: each saying
they get is looked up by its number, which gives its latency and, for a sender, its
acknowledgement. In the end every member must have got exactly what was said in the room, and all
who were listened to closely must have got it in the same order.
"""

from __future__ import annotations

import re
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import crc32

from bench.crowd import Crowd, LoadError, Member
from bench.frame import MARK, Sayings

NUMBERED = re.compile(MARK + rb"(\d{12})")  # four of the sender, eight of the saying
NUMBERED_BYTES = len(MARK) + 12
FRAME_END = ord("}")
DRAIN_S = 20.0


@dataclass(eq=False)
class Sender:
    """A member that says things, numbered from 0."""

    member: Member
    sayings: Sayings
    key: int
    moments: array[int] = field(default_factory=lambda: array("q"))
    acknowledged: int = 0

    def say(self, moment_ns: int, count: int = 1) -> None:
        """Say so many things, meant for that moment."""
        first, frame = len(self.moments), self.sayings.frame
        frames = b"".join([frame(number) for number in range(first, first + count)])
        for _ in range(count):
            self.moments.append(moment_ns)
        if self.member.socket.send(frames) != len(frames):
            raise LoadError("the server no longer reads")


class Ear:
    """Listens closely to one member: each saying with its number, and the order of them all."""

    __slots__ = ("order", "own", "rest", "sender")

    def __init__(self, sender: Sender | None) -> None:
        self.sender = sender
        self.own = b"none" if sender is None else b"%04d" % sender.key
        self.rest = b""
        self.order = 0  # a checksum over all numbers heard, in their order

    def hear(self, buffer: bytearray, size: int) -> list[bytes]:
        """The twelve digits of each saying in the next piece of the stream."""
        if not self.rest and buffer[size - 1] == FRAME_END:
            return NUMBERED.findall(buffer, 0, size)
        whole = self.rest + buffer[:size]
        end = max((match.end() for match in NUMBERED.finditer(whole)), default=0)
        self.rest = whole[max(end, len(whole) - NUMBERED_BYTES + 1) :]
        return NUMBERED.findall(whole)


class Load:
    """A crowd under load: senders say, everybody gets everything said in the room."""

    def __init__(self, crowd: Crowd, senders: list[Sender], timed: list[Member]) -> None:
        self.crowd = crowd
        self.senders = senders
        self.window = 0  # what a sender may have under way; 0: nobody answers to acknowledgements
        self.errand: Callable[[], None] | None = None  # done after every turn
        self.latencies = array("q")
        self.total = 0
        size = max(crowd.members) + 1
        self.counts = [0] * size
        self._recv = [None if m is None else m.socket.recv_into
                      for m in map(crowd.members.get, range(size))]  # fmt: skip
        self._rests: dict[int, bytes] = {}  # where a piece ended within a frame
        self._ears: list[Ear | None] = [None] * size
        by_member = {sender.member: sender for sender in senders}
        for member in {*timed, *by_member}:
            self._ears[member.socket.fileno()] = Ear(by_member.get(member))
        self._moments = {b"%04d" % sender.key: sender.moments for sender in senders}

    def turn(self, timeout: float) -> None:
        """Read once from everybody who has something; wait for it, in whole milliseconds.

        `epoll` would round a part of a millisecond up: less than one is not waited for at all.
        """
        counts, recv, ears = self.counts, self._recv, self._ears
        buffer, rests, total = self.crowd.buffer, self._rests, 0
        for fd, _event in self.crowd.epoll.poll(timeout // 0.001 * 0.001):
            try:
                size = recv[fd](buffer)  # type: ignore[misc]
            except BlockingIOError:
                continue
            except OSError as error:
                raise LoadError(f"the server cut a connection under load: {error}") from None
            if not size:
                raise LoadError("the server ended a connection under load")
            if fd not in rests and buffer[size - 1] == FRAME_END:
                got = buffer.count(MARK, 0, size)
            else:
                got = self._torn(fd, size)
            ear = ears[fd]
            if ear is not None:
                self._timed(ear, size)
            counts[fd] += got
            total += got
        self.total += total
        if self.errand is not None:
            self.errand()

    def _torn(self, fd: int, size: int) -> int:
        """Count in a piece of a stream that begins or ends within a frame."""
        whole = self._rests.pop(fd, b"") + self.crowd.buffer[:size]
        if b"\x89" in whole:
            self.crowd.members[fd].answer(whole)
        rest = whole[-len(MARK) + 1 :]
        if whole[-1] != FRAME_END:
            self._rests[fd] = bytes(rest)
        return whole.count(MARK)

    def _timed(self, ear: Ear, size: int) -> None:
        """Take down the latency of each saying, and answer to a sender's own."""
        heard, now = ear.hear(self.crowd.buffer, size), time.perf_counter_ns()
        moments, own, order, acknowledged = self._moments, ear.own, ear.order, 0
        for digits in heard:
            order = crc32(digits, order)
            key = digits[:4]
            self.latencies.append(now - moments[key][int(digits[4:])])
            if key == own:
                acknowledged += 1
        ear.order = order
        if acknowledged and ear.sender is not None:
            ear.sender.acknowledged += acknowledged
            if self.window:
                ear.sender.say(now, acknowledged)

    def drain(self, expected: int, *, settle: bool = True) -> None:
        """Read until this many deliveries have come, and (settling) see that no more do."""
        self.window = 0
        deadline = time.monotonic() + DRAIN_S
        while self.total < expected:
            self.turn(0.1)
            if time.monotonic() > deadline:
                raise LoadError(f"{expected - self.total} of {expected} deliveries never came")
        if settle:
            self.turn(0.02)
        if self.total > expected:
            raise LoadError(f"{self.total - expected} deliveries too many")

    def said(self) -> Counter[str]:
        """What was said in each room so far."""
        rooms: Counter[str] = Counter()
        for sender in self.senders:
            rooms[sender.member.room] += len(sender.moments)
        return rooms

    def check(self, said: Counter[str]) -> None:
        """Every member got every saying of its room, and all in one order."""
        orders: dict[str, int] = {}
        for fd, member in self.crowd.members.items():
            if self.counts[fd] != said[member.room]:
                raise LoadError(f"a member got {self.counts[fd]} of {said[member.room]} sayings")
            ear = self._ears[fd]
            if ear and orders.setdefault(member.room, ear.order) != ear.order:
                raise LoadError(f"two members of {member.room} got different orders")
