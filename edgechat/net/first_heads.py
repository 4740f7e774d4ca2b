"""The first head of each connection: one task waits for all of them.

A connection that says nothing, or half of a head, costs little that way: no task, no timer of its
own, no wake-up but for bytes. Whoever opens connections by the thousand does just that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import NoReturn

import trio

from edgechat import system
from edgechat.net.caller import Caller
from edgechat.net.head_reader import HeadReader
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head
from edgechat.rooms.defects import note_defect

_EVENTS = system.EPOLLIN | system.EPOLLRDHUP | system.EPOLLET
_AT_ONCE = 16  # then the others have their turn: the longest heads take 0.5 ms each


@dataclass(slots=True)
class _Waiting:
    caller: Caller
    deadline: float
    data: bytearray = field(default_factory=bytearray)


class FirstHeads:
    """Those who were let in, until each has sent a whole head, is gone, or is late."""

    def __init__(
        self,
        heads: HeadReader,
        nursery: trio.Nursery,
        serve: Callable[[Caller, Head | Refused], Awaitable[None]],
        gone: Callable[[Caller], None],
    ) -> None:
        """`serve` becomes a task in `nursery` for each connection, with its head or why it is
        refused. `gone` is called with one that ended before, and must not wait or raise.
        """
        self._heads = heads
        self._nursery = nursery
        self._serve = serve
        self._gone = gone
        self._epoll = system.epoll()
        # By file descriptor. All have the same time, so the first is the first to be late; an
        # `OrderedDict` finds it at once, a `dict` looks through all that were removed before it.
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._scope = trio.CancelScope()

    def __len__(self) -> int:
        """How many are waited for."""
        return len(self._waiting)

    def take(self, caller: Caller, early: bytes | None, now: float) -> None:
        """Deal with one more, by what was read of it: as in `HeadReader.read_now`."""
        if early is not None and not early:  # before all else: most are so in a flood
            self._gone(caller)
            return
        one = _Waiting(caller, now + self._heads.patience)
        if early is None or not self._is_done(one, early):
            try:
                self._epoll.register(caller.connection, _EVENTS)
            except OSError:  # the kernel watches so many, and no more
                self._gone(caller)
                return
            if not self._waiting:
                self._scope.deadline = one.deadline
            self._waiting[caller.connection.fileno()] = one

    async def run(self) -> NoReturn:
        """Wait for ever."""
        while True:
            first = next(iter(self._waiting.values()), None)
            deadline = inf if first is None else first.deadline
            with trio.CancelScope(deadline=deadline) as self._scope:
                await system.wait_readable(self._epoll)
            for fd, _ in self._epoll.poll(0, _AT_ONCE):
                self._read(self._waiting[fd])
            if self._scope.cancelled_caught:
                self._refuse_until(trio.current_time())

    def hurry(self) -> None:
        """The server stops: what is left to all is the last call's time."""
        last = trio.current_time() + self._heads.patience
        for one in self._waiting.values():
            one.deadline = min(one.deadline, last)
        self._scope.deadline = min(self._scope.deadline, last)

    def give_up(self) -> None:
        """All are late now."""
        self._refuse_until(inf)

    def close(self) -> None:
        """All are gone now."""
        for one in list(self._waiting.values()):
            self._forget(one)
            self._gone(one.caller)
        self._epoll.close()

    def _read(self, one: _Waiting) -> None:
        data = self._heads.read_now(one.caller.connection)
        if data is None or (data and not self._is_done(one, data)):
            return
        self._forget(one)
        if not data:
            self._gone(one.caller)

    def _is_done(self, one: _Waiting, data: bytes) -> bool:
        """Take what came; whether it was the rest of a head, or can't become one."""
        known = len(one.data)
        one.data += data
        found: Head | Refused | None
        try:
            found = self._heads.find(one.data, known=known)
        except Refused as refused:
            found = refused
        except Exception as defect:
            note_defect("a connection", defect)
            self._gone(one.caller)
            return True
        if found is not None:
            self._nursery.start_soon(self._serve, one.caller, found, name="connection")
        return found is not None

    def _refuse_until(self, now: float) -> None:
        while self._waiting:
            one = next(iter(self._waiting.values()))
            if one.deadline > now:
                return
            self._forget(one)
            late = self._heads.late()
            self._nursery.start_soon(self._serve, one.caller, late, name="connection")

    def _forget(self, one: _Waiting) -> None:
        self._epoll.unregister(one.caller.connection)
        del self._waiting[one.caller.connection.fileno()]
