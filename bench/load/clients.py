"""Many members at once: connecting, upgrading and joining, driven by one epoll."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from bench.load.errors import LoadError
from bench.load.frames import upgrade
from bench.load.member import Member, Stage

READ_BYTES = 1 << 18
PING = b"\x89"


class Clients:
    """Members of one server, in rooms. A context manager that closes all connections."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.epoll = select.epoll()
        self.members: dict[int, Member] = {}
        self.buffer = bytearray(READ_BYTES)
        self.view = memoryview(self.buffer)

    def __enter__(self) -> Clients:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
        return int(member.receive(data))

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
