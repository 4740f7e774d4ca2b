"""The load: senders, and the counting of what every member gets.

Most members are only counted: one `recv_into` a wake-up, one `count` of the mark, no Python work
for a single delivery. Senders, and a few more spread over the room, are *timed*: each message
they get is looked up by its number, which gives its latency and, for a sender, its
acknowledgement. In the end every member must have got exactly what was sent in its room, and all
timed members of a room in the same order.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable
from zlib import crc32

from bench.load.clients import Clients
from bench.load.errors import LoadError
from bench.load.frames import PONG
from bench.load.listener import FRAME_END, Listener
from bench.load.member import Member
from bench.load.messages import MARK
from bench.load.sender import Sender

DRAIN_S = 20.0
BEAT_S = 8.0  # servers ask who is silent for 20 s or longer, and drop who does not answer


class Load:
    """Clients under load: senders send, every member gets all that is sent in its room."""

    def __init__(self, clients: Clients, senders: list[Sender], timed: list[Member]) -> None:
        self.clients = clients
        self.senders = senders
        self._beat_at = time.monotonic() + BEAT_S
        self.window = 0  # messages a sender may have under way; 0: it sends no more
        self.after_turn: Callable[[], None] | None = None  # done after every turn
        self.latencies = array("q")
        self.total = 0
        size = max(clients.members) + 1
        self.counts = [0] * size
        self._recv = [None if m is None else m.socket.recv_into
                      for m in map(clients.members.get, range(size))]  # fmt: skip
        self._rests: dict[int, bytes] = {}  # where a piece ended within a frame
        self._listeners: list[Listener | None] = [None] * size
        by_member = {sender.member: sender for sender in senders}
        for member in {*timed, *by_member}:
            self._listeners[member.socket.fileno()] = Listener(by_member.get(member))
        self._moments = {b"%04d" % sender.key: sender.moments for sender in senders}

    def turn(self, timeout: float) -> None:
        """Read once from every readable socket; wait for one, in whole milliseconds.

        `epoll` would round a part of a millisecond up: less than one is not waited for at all.
        """
        counts, recv, listeners = self.counts, self._recv, self._listeners
        buffer, rests, total = self.clients.buffer, self._rests, 0
        for fd, _event in self.clients.epoll.poll(timeout // 0.001 * 0.001):
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
            listener = listeners[fd]
            if listener is not None:
                self._timed(listener, size)
            counts[fd] += got
            total += got
        self.total += total
        if time.monotonic() >= self._beat_at:
            self._beat()
        if self.after_turn is not None:
            self.after_turn()

    def _beat(self) -> None:
        """Say that all live: a ping between two messages would be read over here."""
        for member in self.clients.members.values():
            member.socket.send(PONG)
        self._beat_at = time.monotonic() + BEAT_S

    def _torn(self, fd: int, size: int) -> int:
        """Count in a piece of a stream that begins or ends within a frame."""
        whole = self._rests.pop(fd, b"") + self.clients.buffer[:size]
        if b"\x89" in whole:
            self.clients.members[fd].answer(whole)
        rest = whole[-len(MARK) + 1 :]
        if whole[-1] != FRAME_END:
            self._rests[fd] = bytes(rest)
        return whole.count(MARK)

    def _timed(self, listener: Listener, size: int) -> None:
        """Record each message's latency; answer a sender's own by its next."""
        received, now = listener.receive(self.clients.buffer, size), time.perf_counter_ns()
        moments, own, order, acknowledged = self._moments, listener.own, listener.order, 0
        for digits in received:
            order = crc32(digits, order)
            key = digits[:4]
            self.latencies.append(now - moments[key][int(digits[4:])])
            if key == own:
                acknowledged += 1
        listener.order = order
        if acknowledged and listener.sender is not None:
            listener.sender.acknowledged += acknowledged
            if self.window:
                listener.sender.send(now, acknowledged)

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

    def sent(self) -> Counter[str]:
        """What was sent in each room so far."""
        rooms: Counter[str] = Counter()
        for sender in self.senders:
            rooms[sender.member.room] += len(sender.moments)
        return rooms

    def check(self, sent: Counter[str]) -> None:
        """Raise LoadError unless every member got every message of its room, in one order."""
        orders: dict[str, int] = {}
        for fd, member in self.clients.members.items():
            if self.counts[fd] != sent[member.room]:
                raise LoadError(f"a member got {self.counts[fd]} of {sent[member.room]} messages")
            listener = self._listeners[fd]
            if listener and orders.setdefault(member.room, listener.order) != listener.order:
                raise LoadError(f"two members of {member.room} got different orders")
