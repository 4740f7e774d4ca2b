"""Many members at once: connecting, upgrading and joining, driven by one epoll."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from bench.frame import pongs, upgrade

READ_BYTES = 1 << 18
PORTS_AN_ADDRESS = 20_000
PING = b"\x89"
READY = b'"ready":true'


class LoadError(RuntimeError):
    """The server did not do what every chat server must; the figures would mean nothing."""


class Stage(Enum):
    """How far a member has come."""

    CONNECTING = auto()
    UPGRADING = auto()
    JOINING = auto()
    READY = auto()


@dataclass(eq=False)
class Member:
    """A connection that wants to be in a room."""

    room: str
    hello: bytes
    keep: bool = False  # everything received after the upgrade, to look at later
    stage: Stage = Stage.CONNECTING
    began_ns: int = 0
    ready_ns: int = 0
    tail: bytes = b""
    kept: bytearray = field(default_factory=bytearray)
    socket: socket.socket = field(default_factory=socket.socket)

    def connect(self, port: int, number: int) -> None:
        """Begin to connect; one address of 127/8 for every 20,000 members."""
        self.began_ns = time.perf_counter_ns()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if number >= PORTS_AN_ADDRESS:
            self.socket.bind((f"127.0.0.{1 + number // PORTS_AN_ADDRESS}", 0))
        self.socket.connect_ex(("127.0.0.1", port))

    def answer(self, data: bytes) -> None:
        """Answer the pings in what came in: a server lets go of who does not."""
        answers = pongs(data)
        if answers and self.stage in (Stage.JOINING, Stage.READY):
            self.socket.send(answers)

    def hear(self, data: bytes) -> bool:
        """Take what came in on the way to `ready`; True if that is reached now."""
        rest = self.upgraded(data) if self.stage is Stage.UPGRADING else data
        if rest:
            self._joining(rest)
        return self.ready_ns > 0

    def upgraded(self, data: bytes) -> bytes | None:
        """Read the answer to the upgrade and say hello; what came behind it, None if not yet."""
        head, end, rest = (self.tail + data).partition(b"\r\n\r\n")
        self.tail = head
        if not end:
            return None
        if b" 101 " not in head.split(b"\r\n")[0] + b" ":
            raise LoadError(f"the upgrade was answered {head[:200]!r}")
        self.stage, self.tail = Stage.JOINING, b""
        self.socket.send(self.hello)
        return rest

    def _joining(self, data: bytes) -> None:
        if self.keep:
            self.kept += data
        whole = self.tail + data
        if READY in whole:
            self.stage = Stage.READY
            self.ready_ns = time.perf_counter_ns()
        elif data[:1] == b"\x88":
            raise LoadError(f"closed while joining: {data[:100]!r}")
        self.tail = whole[-len(READY) + 1 :]


class Crowd:
    """Members of one server, in rooms."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.epoll = select.epoll()
        self.members: dict[int, Member] = {}
        self.buffer = bytearray(READ_BYTES)
        self.view = memoryview(self.buffer)

    def join(self, newcomers: Sequence[Member], *, at_once: int = 100, timeout: float = 60) -> None:
        """Bring all to `ready`, so many under way at a time."""
        waiting, under_way = deque(newcomers), 0
        deadline = time.monotonic() + timeout
        while waiting or under_way:
            while waiting and under_way < at_once:
                self._start(waiting.popleft())
                under_way += 1
            for fd, event in self.epoll.poll(1.0):
                under_way -= self._advance(self.members[fd], event)
            if time.monotonic() > deadline:
                missing = under_way + len(waiting)
                raise LoadError(f"{missing} of {len(newcomers)} not joined in {timeout:.0f} s")

    def _start(self, member: Member) -> None:
        member.connect(self.port, len(self.members))
        self.members[member.socket.fileno()] = member
        self.epoll.register(member.socket, select.EPOLLOUT)

    def _advance(self, member: Member, event: int) -> int:
        """One step of a member; 1 if it became ready by it."""
        if member.stage is Stage.CONNECTING:
            self._connected(member)
            return 0
        data = self.read(member)
        if member.stage is Stage.READY:
            return 0
        return int(member.hear(data))

    def _connected(self, member: Member) -> None:
        error = member.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise LoadError(f"a connection was refused: errno {error}")
        member.stage = Stage.UPGRADING
        self.epoll.modify(member.socket, select.EPOLLIN)
        member.socket.send(upgrade(member.room, f"127.0.0.1:{self.port}"))

    def read(self, member: Member) -> bytes:
        """What is there to be read now, pings answered; an end is an error."""
        try:
            size = member.socket.recv_into(self.buffer)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LoadError(f"the server cut a connection: {error}") from None
        if not size:
            raise LoadError("the server ended a connection")
        data = bytes(self.view[:size])
        if PING in data:
            member.answer(data)
        if member.keep and member.stage is Stage.READY:
            member.kept += data
        return data

    def settle(self, quiet: float = 0.3, timeout: float = 60) -> None:
        """Read until nothing but pings has come for a while: the notices of the last who joined."""
        last = time.monotonic()
        deadline = last + timeout
        while (now := time.monotonic()) - last < quiet:
            for fd, _event in self.epoll.poll(quiet):
                data = self.read(self.members[fd])
                last = now if data[:1] != PING else last
            if now > deadline:
                raise LoadError(f"not quiet within {timeout:.0f} s of joining")

    def wait(self, seconds: float) -> None:
        """Do nothing for so long but to answer pings."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for fd, _event in self.epoll.poll(left):
                self.read(self.members[fd])

    def close(self) -> None:
        """Drop all connections."""
        for member in self.members.values():
            member.socket.close()
        self.members.clear()
        self.epoll.close()
