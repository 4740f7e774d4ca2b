"""The door: it accepts, lets in who may come in, and reads a request's head.

A connection is a task from its first whole head on (`first_heads`).

What becomes of a request then is somebody else's: a room or the app of this process (`listener`),
or a worker, to which the connection is passed on (`workers.front`). Each connection contains its
own failures: what goes wrong in one ends that one.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress

import trio

from edgechat.net.acceptor import Acceptor
from edgechat.net.admission import Admission
from edgechat.net.caller import Caller
from edgechat.net.client_address import counted_address, is_on_loopback, is_trusted
from edgechat.net.connection_limits import ConnectionLimits
from edgechat.net.first_heads import FirstHeads
from edgechat.net.head_reader import HeadReader
from edgechat.net.linger import linger
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head
from edgechat.net.reserve import Reserve
from edgechat.net.statistics import DoorStatistics
from edgechat.rooms.defects import contain, note_defect
from edgechat.settings import Settings

Serve = Callable[[Caller, Head], Awaitable[bytes | None]]


class Door:
    """Lets connections in, each for as long as `serve` takes."""

    def __init__(self, settings: Settings, serve: Serve) -> None:
        """`serve` gets a request and its connection, which the door closes after it; or where it
        may be asked again, and `serve` returns what came behind the request, after the last one.

        It may raise `Refused`, which is answered. One that passed the connection on to another
        process sets `is_elsewhere` of the caller, who then counts until `limits.leave` is called.
        """
        self.heads = HeadReader(settings)
        self.limits = ConnectionLimits(settings)
        self.admission = Admission(settings, self.limits)
        self.reserve = Reserve(settings.spare_descriptors)
        self._settings = settings
        self._serve = serve
        self._accepted = 0
        self._refused: Counter[str] = Counter()
        self._first: dict[FirstHeads, None] = {}  # one for each socket that is listened on

    async def accept(self, listening: socket.socket, nursery: trio.Nursery) -> None:
        """Accept for ever; each connection that has sent a head is a task in `nursery`."""
        loopback = is_on_loopback(listening.getsockname())
        proxies = self._settings.trusted_proxies
        first = FirstHeads(self.heads, nursery, self._serve_one, self._leave)

        def welcome(connection: socket.socket, peer: str) -> None:
            self._accepted += 1
            try:
                is_passed_on = bool(proxies) and is_trusted(peer, proxies)
                counted = None if is_passed_on else counted_address(peer, proxies)
                caller = Caller(connection, peer, loopback, is_passed_on, counted, may_go_on=True)
                self._let_in(caller, first)
            except Exception as defect:
                connection.close()
                note_defect("a connection", defect)

        with closing(self.reserve), closing(first):
            self._first[first] = None
            self.reserve.fill()
            try:
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(first.run)
                    accepting.start_soon(Acceptor(listening, welcome, self.reserve).run)
            finally:
                del self._first[first]

    async def take(self, caller: Caller, head: Head) -> None:
        """Serve one that the door of another process has let in."""
        with caller.connection, contain("a connection"), suppress(OSError):
            caller.connection.setblocking(False)
            await self._answer(caller, head, checked=True)

    async def take_back(self, caller: Caller, head: Head) -> None:
        """Serve one once more that this door let in, and passed on to a process that is gone."""
        with caller.connection, contain("a connection"), suppress(OSError):
            caller.connection.setblocking(False)
            await self._answer_counted(caller, head, checked=True)
        self.reserve.fill()

    def hurry(self) -> None:
        """The server stops: from now on a head gets the last call's time, and a next one none."""
        self.heads.hurry()
        for first in self._first:
            first.hurry()

    def give_up(self) -> None:
        """Wait for no head any more; who has not sent a whole one is told that the server stops."""
        self.heads.give_up()
        for first in self._first:
            first.give_up()

    @property
    def waiting(self) -> int:
        """How many heads are waited for."""
        return self.heads.waiting + sum(map(len, self._first))

    def statistics(self) -> DoorStatistics:
        """As of now, and since the start."""
        return DoorStatistics(self._accepted, dict(self._refused), self.limits.statistics())

    def _let_in(self, caller: Caller, first: FirstHeads) -> None:
        """All but those who are one too many, with whom there is no time to linger."""
        caller.connection.setblocking(False)
        early = self.heads.read_now(caller.connection)
        now = trio.current_time()
        try:
            self.limits.enter(caller.counted, now)
        except Refused as refused:
            with caller.connection, suppress(OSError):
                self._refuse(caller, refused)
        else:
            first.take(caller, early, now)

    def _leave(self, caller: Caller) -> None:
        """One that came in ends here."""
        self.limits.leave(caller.counted, page=caller.for_page)
        caller.connection.close()
        self.reserve.fill()

    async def _serve_one(self, caller: Caller, found: Head | Refused) -> None:
        """One connection, from its first head to its end."""
        with caller.connection, contain("a connection"), suppress(OSError):  # the client is gone
            await self._answer_counted(caller, found, checked=False)
        self.reserve.fill()

    async def _answer_counted(
        self, caller: Caller, found: Head | Refused, *, checked: bool
    ) -> None:
        """The same as `_answer`, of one that counts until its end."""
        try:
            await self._answer(caller, found, checked=checked)
        finally:
            if not caller.is_elsewhere:
                self.limits.leave(caller.counted, page=caller.for_page)

    async def _answer(self, caller: Caller, found: Head | Refused, *, checked: bool) -> None:
        """Serve requests, of which this is the first one's head."""
        try:
            if isinstance(found, Refused):
                raise found
            head: Head | None = found
            while head is not None:
                if not checked:
                    self.admission.check(caller, head)
                behind = await self._serve(caller, head)
                if behind is None:
                    return
                head = await self.heads.read_next(caller.connection, behind)
                if head is not None:
                    self.admission.count_again(caller)
        except Refused as refused:
            self._refuse(caller, refused)
            await linger(caller.connection, self._settings.linger_timeout)

    def _refuse(self, caller: Caller, refused: Refused) -> None:
        """The answer fits into any socket's empty buffer; who does not read it does not get it."""
        self._refused[refused.reason.word] += 1
        caller.connection.send(refused.reason.answer)
