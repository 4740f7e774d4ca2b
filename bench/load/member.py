"""One client connection: it connects, upgrades, says hello, and answers pings."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from enum import Enum, auto

from bench.load.errors import LoadError
from bench.load.frames import pongs

PORTS_AN_ADDRESS = 20_000
READY = b'"ready":true'


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
        """Answer the pings in what came in: a server drops clients that don't."""
        answers = pongs(data)
        if answers and self.stage in (Stage.JOINING, Stage.READY):
            self.socket.send(answers)

    def receive(self, data: bytes) -> bool:
        """Process input on the way to `ready`; True if that is reached now."""
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
