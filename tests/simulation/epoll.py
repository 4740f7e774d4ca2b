"""`select.epoll`, edge-triggered, over simulated connections; as far as `edgechat.net` uses it."""

from __future__ import annotations

import select
from math import inf
from typing import Any

import trio

from .network import Pipe, Signal

EPOLLIN, EPOLLRDHUP, EPOLLET = select.EPOLLIN, select.EPOLLRDHUP, select.EPOLLET
EPOLLHUP, EPOLLERR = select.EPOLLHUP, select.EPOLLERR


class epoll:  # noqa: N801 - the name it has in `select`
    """Tells of what came to each connection, once."""

    def __init__(self) -> None:
        self._pipes: dict[int, Pipe] = {}
        self._told: dict[int, int] = {}
        self._changed = Signal()

    def register(self, receiver: Any, events: int) -> None:
        assert events == EPOLLIN | EPOLLRDHUP | EPOLLET
        fd, pipe = receiver.fileno(), getattr(receiver, "_socket", receiver).link.up
        self._pipes[fd], self._told[fd] = pipe, 0
        pipe.changed.followers.append(self._changed)
        self._changed.fire()

    def unregister(self, receiver: Any) -> None:
        fd = receiver.fileno()
        self._pipes.pop(fd).changed.followers.remove(self._changed)
        del self._told[fd]

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        assert timeout == 0
        events: list[tuple[int, int]] = []
        for fd, pipe in self._pipes.items():
            arrivals = pipe.arrivals()
            if arrivals > self._told[fd] and len(events) < most:
                self._told[fd] = arrivals
                events.append((fd, EPOLLIN | (EPOLLRDHUP if pipe.has_ended() else 0)))
        return events

    def close(self) -> None:
        assert not self._pipes

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not any(pipe.arrivals() > self._told[fd] for fd, pipe in self._pipes.items()):
            deadline = min((pipe.next_arrival() for pipe in self._pipes.values()), default=inf)
            await self._changed.wait_until(deadline)
