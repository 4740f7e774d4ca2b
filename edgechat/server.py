"""The supervisor: it owns the one long-lived nursery, and starts and stops everything in order."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import trio

from edgechat import system
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.history.data_folder import DataFolder
from edgechat.history.journal.owner import ALONE, Owner
from edgechat.http_start import start_http, with_web_version
from edgechat.net import event_stream
from edgechat.net.caller import Caller
from edgechat.net.heartbeat import keep_heartbeat
from edgechat.net.listener import Listener
from edgechat.net.listening import url
from edgechat.net.poller import Poller
from edgechat.net.request_head import Head
from edgechat.net.sender import Sender
from edgechat.places import take_places
from edgechat.rooms import defects, refusals
from edgechat.rooms.allowances import Allowances
from edgechat.rooms.registry import Registry
from edgechat.rooms.room import Room
from edgechat.rooms.share import ALL, Share
from edgechat.rooms.turn import Turn
from edgechat.settings import Settings
from edgechat.statistics import ServerStatistics
from edgechat.storage_start import RoomStorage
from edgechat.webhooks.webhooks import Webhooks

if TYPE_CHECKING:
    from edgechat.http.http_side import HttpSide


async def serve(
    settings: Settings,
    stop: trio.Event,
    changes: AsyncIterable[Settings] | None = None,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` is set, and then stop in order; `started()` gets the address to open.

    Of each of `changes`, the limits in `RELOADABLE` hold from then on.
    Raises `DataFolderError` where the data folder can't be used, `EngineError`, and `ListenError`.
    """
    async with take_places(settings) as (folder, key, sockets, scraped):
        await _Server(settings, folder, key).run(sockets, stop, task_status, scraped, changes)


class _Server:
    def __init__(
        self, settings: Settings, folder: DataFolder, key: bytes,
        share: Share = ALL, owner: Owner = ALONE,
    ) -> None:  # fmt: skip
        self._settings = settings = with_web_version(settings)
        self._share = share
        self._ids = PrivateIds(key)
        self._webhooks = Webhooks(settings, self._ids, share.has)
        self._storage = RoomStorage(settings, folder, key, share, owner)
        self._http: HttpSide
        self._http_started = trio.Event()
        self._turn = Turn(self._storage.rooms, system.now_ms)
        self._poller = Poller(self._turn.finish)
        self._rooms: Registry[RoomKey, Room]
        self._listener: Listener
        self._stopping = False

    def statistics(self) -> ServerStatistics:
        """What everybody counts, once the server runs."""
        return ServerStatistics(
            listener=self._listener.statistics(),
            poller=self._poller.statistics(),
            rooms=self._rooms.statistics(),
            members=sum(len(room.fanout) for room in self._rooms),
            followers=event_stream.statistics(),
            limiters=self._allowances.statistics(),
            storage_works=self._storage.works,
            turn=self._turn.statistics(),
            webhooks=self._webhooks.statistics(),
            refusals=refusals.statistics(),
            journal=self._storage.statistics(),
            engine=self._storage.node_statistics(),
            defects=defects.statistics(),
        )

    async def run(
        self,
        sockets: Sequence[socket.socket],
        stop: trio.Event,
        started: trio.TaskStatus[str],
        scraped: Sequence[socket.socket] = (),  # for metrics
        changes: AsyncIterable[Settings] | None = None,
    ) -> None:
        """Connections need rooms, and rooms what is in the background: so they end."""
        self._scraped, self._changes = scraped, changes
        with closing(self._poller):
            await self._run(sockets, stop, started)

    async def _run(
        self, sockets: Sequence[socket.socket], stop: trio.Event, started: trio.TaskStatus[str]
    ) -> None:
        async with trio.open_nursery() as background:
            await self._storage.recover()
            background.start_soon(self._poller.run)
            background.start_soon(self._storage.run, self._turn.answered)
            await self._storage.start(self._ids)
            async with trio.open_nursery() as living:
                self._open_registries(living, background)
                background.start_soon(keep_heartbeat, self._listener.websockets, self._settings)
                background.start_soon(self._serve_metrics)
                background.start_soon(self._change_limits)
                async with trio.open_nursery() as connections, trio.open_nursery() as accepting:
                    self._let_in(sockets, accepting, connections)
                    connections.start_soon(self._webhooks.run, self._rooms, self._is_open)
                    await self._start_http(background)
                    started.started(url(sockets[0]) if sockets else "")
                    await stop.wait()
                    deadline = trio.current_time() + self._settings.stop_timeout
                    connections.cancel_scope.deadline = living.cancel_scope.deadline = deadline
                    background.start_soon(self._abort_http, deadline)
                    self._send_away()
                    await self._listener.drain()
                    accepting.cancel_scope.cancel()
                self._send_away()  # a late request may have opened one more room
            with trio.CancelScope(shield=True):
                await self._storage.flush()
            background.cancel_scope.cancel()

    def _let_in(
        self, sockets: Sequence[socket.socket], accepting: trio.Nursery, connections: trio.Nursery
    ) -> None:
        """Start what accepts, in `accepting`; each connection is a task in `connections`."""
        for listening in sockets:
            accepting.start_soon(self._listener.door.accept, listening, connections)

    def _send_away(self) -> None:
        """Rooms finish what they were told; everybody is to come back to the next server."""
        self._stopping = True
        for room in self._rooms:
            room.stop()

    async def _abort_http(self, deadline: float) -> None:
        await trio.sleep_until(deadline)
        self._http.abort()

    async def _serve_metrics(self) -> None:
        if self._scraped:
            from edgechat.metrics.numbers import numbers_of  # 80 ms, if they are wanted
            from edgechat.metrics.reading import Reading
            from edgechat.metrics.scrapes import serve_metrics

            await serve_metrics(
                self._scraped, self._settings, lambda: Reading(numbers_of(self.statistics()))
            )

    async def _change_limits(self) -> None:
        if self._changes is not None:
            async for settings in self._changes:
                self._settings = with_web_version(settings)
                self._rooms.most = settings.max_rooms
                self._allowances.change_limits(settings)
                self._listener.door.limits.change(settings)

    def _make_room(self, key: RoomKey) -> Room:
        return Room(key, self._storage.rooms, self._settings, self._turn, Sender.write_all)

    def _open_registries(self, living: trio.Nursery, background: trio.Nursery) -> None:
        settings = self._settings
        self._rooms = Registry(living, self._make_room, settings.max_rooms, "room", self._share.has)
        self._allowances = Allowances(background, settings, self._storage.ledger)
        background.start_soon(self._storage.settle, self._allowances)
        self._listener = Listener(
            settings, self._rooms, self._ids, self._allowances.of, self._serve_http, self._poller
        )

    def _is_open(self) -> bool:
        return not self._stopping

    async def _start_http(self, living: trio.Nursery) -> None:
        settings, rooms, allowance_of = self._settings, self._rooms, self._allowances.of
        ids, ready, is_open = self._ids, self._is_ready, self._is_open
        self._http = await start_http(living, settings, rooms, ids, ready, is_open, allowance_of)
        self._http_started.set()

    async def _is_ready(self) -> bool:
        return not self._stopping and await self._storage.check()

    async def _serve_http(self, caller: Caller, head: Head) -> bytes | None:
        if not self._http_started.is_set():
            await self._http_started.wait()
        return await self._http.serve(caller, head)
