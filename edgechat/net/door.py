"""The door: it accepts, lets in who may come in, and reads a request's head.

What becomes of a request then is somebody else's: a room or the app of this process (`listener`),
or a worker, to which the connection is passed on (`workers.front`). Each connection contains its
own failures: what goes wrong in one ends that one.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import trio

from edgechat.net.acceptor import Acceptor
from edgechat.net.caller import Caller
from edgechat.net.client_address import client_address, counted_address, is_on_loopback, is_trusted
from edgechat.net.connection_limits import ConnectionLimits, ConnectionLimitsStatistics
from edgechat.net.head_reader import HeadReader
from edgechat.net.hosts import Hosts
from edgechat.net.linger import linger
from edgechat.net.proxy_notice import ProxyNotice
from edgechat.net.refused import Refused
from edgechat.net.request_head import Head
from edgechat.net.reserve import Reserve
from edgechat.rooms.defects import contain
from edgechat.settings import Settings

Serve = Callable[[Caller, Head], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class DoorStatistics:
    """What came in, and what was refused, by reason."""

    accepted: int
    refused: Mapping[str, int]
    connections: ConnectionLimitsStatistics


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
        self.reserve = Reserve(settings.spare_descriptors)
        self._settings = settings
        self._serve = serve
        self._hosts = Hosts(settings)
        self._notice = ProxyNotice()
        self._accepted = 0
        self._refused: Counter[str] = Counter()

    async def accept(self, listening: socket.socket, nursery: trio.Nursery) -> NoReturn:
        """Accept for ever; each connection is a task in `nursery`."""
        loopback = is_on_loopback(listening.getsockname())

        def welcome(connection: socket.socket, peer: str) -> None:
            self._accepted += 1
            is_passed_on = is_trusted(peer, self._settings.trusted_proxies)
            caller = Caller(connection, peer, loopback, is_passed_on, may_go_on=True)
            nursery.start_soon(self._let_in, caller, name="connection")

        try:
            self.reserve.fill()
            await Acceptor(listening, welcome, self.reserve).run()
        finally:
            self.reserve.close()

    async def take(self, caller: Caller, head: Head) -> None:
        """Serve one that the door of another process has let in."""
        with caller.connection, contain("a connection"), suppress(OSError):
            caller.connection.setblocking(False)
            await self._answer(caller, head)

    async def take_back(self, caller: Caller, head: Head) -> None:
        """Serve one once more that this door let in, and passed on to a process that is gone."""
        with caller.connection, contain("a connection"), suppress(OSError):
            caller.connection.setblocking(False)
            await self._answer_counted(caller, head)
        self.reserve.fill()

    def client(self, peer: str, head: Head) -> str:
        """The address of whoever sends a request, by a trusted proxy's word or its own."""
        header = self._settings.proxy_header
        return client_address(peer, header, head.values(header), self._settings.trusted_proxies)

    def statistics(self) -> DoorStatistics:
        """As of now, and since the start."""
        return DoorStatistics(self._accepted, dict(self._refused), self.limits.statistics())

    async def _let_in(self, caller: Caller) -> None:
        """One connection, from its accepting to its end."""
        with caller.connection, contain("a connection"), suppress(OSError):  # the client is gone
            caller.connection.setblocking(False)
            if not caller.is_passed_on:
                caller.counted = counted_address(caller.peer, self._settings.trusted_proxies)
            try:
                self.limits.enter(caller.counted, trio.current_time())
            except Refused as refused:  # too many, so there is no time to linger
                self._refuse(caller, refused)
            else:
                await self._answer_counted(caller)
        self.reserve.fill()

    async def _answer_counted(self, caller: Caller, known: Head | None = None) -> None:
        """The same as `_answer`, of one that counts until its end."""
        try:
            await self._answer(caller, known)
        finally:
            if not caller.is_elsewhere:
                self.limits.leave(caller.counted, page=caller.for_page)

    async def _answer(self, caller: Caller, known: Head | None = None) -> None:
        """Serve requests, the first of which has a head that is read if it is not known yet."""
        try:
            head = known or await self.heads.read(caller.connection)
            while head is not None:
                if known is None:
                    self._check(caller, head)
                behind = await self._serve(caller, head)
                if behind is None:
                    return
                head = await self.heads.read_next(caller.connection, behind)
                if head is not None:
                    self._count_again(caller)
        except Refused as refused:
            self._refuse(caller, refused)
            await linger(caller.connection, self._settings.linger_timeout)

    def _check(self, caller: Caller, head: Head) -> None:
        """Whether the request may go on, and for whom it counts. Raises `Refused`."""
        self._hosts.check(head, loopback=caller.loopback and not caller.is_passed_on)
        if caller.is_passed_on:
            self._claim(caller, head)
        if caller.counted is not None and head.is_for_page:
            caller.for_page = self.limits.move_to_page(caller.counted, trio.current_time())
        self._notice.look(caller, head)

    def _count_again(self, caller: Caller) -> None:
        """The next request counts like a connection of its own. Raises `Refused`.

        Else what is meant against floods of connections could be had on one. A proxy may ask for
        somebody else.
        """
        counted, caller.counted = caller.counted, None
        self.limits.release(counted, page=caller.for_page)
        caller.for_page = False
        if counted is not None and not caller.is_passed_on:
            self.limits.claim(counted, trio.current_time())
            caller.counted = counted

    def _claim(self, caller: Caller, head: Head) -> None:
        """Only now it is known for whom a proxy speaks. Raises `Refused`."""
        client = self.client(caller.peer, head)
        counted = counted_address(client, self._settings.trusted_proxies)
        if counted is not None:
            self.limits.claim(counted, trio.current_time())
            caller.counted = counted

    def _refuse(self, caller: Caller, refused: Refused) -> None:
        """The answer fits into any socket's empty buffer; who does not read it does not get it."""
        self._refused[refused.reason.word] += 1
        caller.connection.send(refused.reason.answer)
