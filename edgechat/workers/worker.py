"""A worker: the server as it is with one process, but connections come to it by a channel."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress

import trio

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.garbage import collect_seldom
from edgechat.history.data_folder import DataFolder
from edgechat.history.journal.owner import Owner
from edgechat.metrics.loop_lag import LoopLag
from edgechat.metrics.numbers import numbers_of
from edgechat.net import request_head
from edgechat.net.caller import Caller
from edgechat.net.request_head import Head
from edgechat.rooms.defects import contain
from edgechat.rooms.share import Share
from edgechat.server import _Server
from edgechat.workers.channel import Channel, ChannelClosed
from edgechat.workers.messages import (
    Begin,
    Figures,
    Granted,
    Handed,
    Ready,
    Released,
    Stop,
    Yours,
)
from edgechat.workers.placement import place_of
from edgechat.workers.report import Report

log = logging.getLogger(__name__)

_AT_ONCE = 64  # messages of the front, then the others have their turn
_FIRST_STEPS = 3  # of a task, until a request that was handed over is under way


class Worker(_Server):
    """Has the rooms whose place is here. Whoever wants another gets no room here."""

    def __init__(self, begin: Begin, folder: DataFolder, channel: Channel) -> None:
        def is_here(key: RoomKey) -> bool:
            return place_of(key, begin.workers) == begin.number

        self.is_ready = False
        self._report = Report(channel)
        share = Share(is_here, self._report.spending)
        owner = Owner(begin.number, begin.recovers)
        super().__init__(begin.settings, folder, begin.key, share, owner)
        self._channel = channel
        self._lag = LoopLag()
        self._stop = trio.Event()
        self._ended = trio.Event()
        self._answered = trio.Event()  # set when a request of HTTP is over

    async def serve(self) -> None:
        """Until the front says stop, or is gone."""
        system.raise_file_limit()
        async with trio.open_nursery() as beside:
            await beside.start(self._run_server)
            self.is_ready = True
            collect_seldom()
            await self._channel.send(Ready())
            beside.start_soon(self._tell)
            await self._ended.wait()
            with suppress(ChannelClosed), trio.move_on_after(self._settings.last_call):
                await self._channel.send(await self._figures())  # its last sums
            beside.cancel_scope.cancel()

    async def _run_server(self, *, task_status: trio.TaskStatus[str]) -> None:
        await self.run((), self._stop, task_status)
        self._ended.set()

    async def _tell(self) -> None:
        """All that the front has to know, until it is gone."""
        try:
            async with trio.open_nursery() as telling:
                telling.start_soon(self._report.tell_left)
                telling.start_soon(self._report.tell_spent)
                telling.start_soon(self._report.tell_figures, self._figures)
                telling.start_soon(self._lag.run)
        except* ChannelClosed:
            pass

    async def _figures(self) -> Figures:
        works = await self._storage.check()
        return Figures(numbers_of(self.statistics()), self._lag.statistics(), works)

    def _let_in(
        self, sockets: Sequence[socket.socket], accepting: trio.Nursery, connections: trio.Nursery
    ) -> None:
        accepting.start_soon(self._obey, connections)
        accepting.start_soon(self._release)

    async def _obey(self, connections: trio.Nursery) -> None:
        """What the front says, until it says stop or is gone."""
        reserve = self._listener.door.reserve
        reserve.fill()
        try:
            while not self._stop.is_set():
                await self._channel.wait()
                for _ in range(_AT_ONCE):
                    reserve.make_room()
                    found = self._channel.receive_nowait()
                    if found is None:
                        break
                    await self._take(*found, connections)
        except ChannelClosed:
            log.warning("The front has ended, and so does this worker.")
        finally:
            reserve.close()
            self._stop.set()

    async def _take(
        self,
        message: Handed | Granted | Yours | Stop,
        descriptor: int | None,
        connections: trio.Nursery,
    ) -> None:
        match message:
            case Handed() if descriptor is not None:
                connections.start_soon(self._serve_handed, message, descriptor, name="connection")
            case Handed():
                log.error("There was no file descriptor for a connection, which is lost.")
                self._report.left(message.counted, page=message.page)
            case Granted():
                behind = trio.current_time() - system.monotonic()
                for address, full_at in message.full_at.items():
                    self._allowances.learn(address, full_at + behind)
            case Yours():
                await self._storage.take()
            case Stop():
                await self._answer_all()
                self._stop.set()

    async def _serve_handed(self, handed: Handed, descriptor: int) -> None:
        connection = socket.socket(handed.family, socket.SOCK_STREAM, 0, descriptor)
        try:
            with contain("a connection"):
                head = request_head.parse(handed.text, handed.rest, self._settings.head_fields)
                counted = handed.counted or None
                caller = Caller(connection, handed.peer, False, False, counted)
                await self._listener.door.take(caller, head)
        finally:
            connection.close()
            self._report.left(handed.counted, page=handed.page)
            if not self._stop.is_set():
                self._listener.door.reserve.fill()

    async def _serve_http(self, caller: Caller, head: Head) -> bytes | None:
        try:
            return await super()._serve_http(caller, head)
        finally:
            self._answered.set()

    async def _answer_all(self) -> None:
        """Requests that came before the front said stop are answered as if it had not, in time.

        Those without an end, and those whose bodies are slow, are not waited for.
        """
        for _ in range(_FIRST_STEPS):
            await trio.lowlevel.checkpoint()
        with trio.move_on_after(self._settings.last_call):
            while self._http.is_answering:
                self._answered = trio.Event()
                await self._answered.wait()

    async def _release(self) -> None:
        """Say when the rooms are closed: another worker may have them before all have left here.

        Not where a file lacks what was said, and can't be written: the next worker gets the rooms
        when this process has ended, and puts it there from the journal.
        """
        await self._stop.wait()
        await self._rooms.shut()
        with trio.CancelScope(shield=True):  # this server may end meanwhile
            if not await self._storage.catch_up():
                return
            await self._storage.let_go()
            with suppress(ChannelClosed), trio.move_on_after(self._settings.last_call):
                await self._channel.send(Released())
