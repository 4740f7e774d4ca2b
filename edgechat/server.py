"""The supervisor: it owns the one long-lived nursery, and starts and stops everything in order."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from edgechat import system
from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.history.data_folder import DataFolder
from edgechat.history.history import Histories
from edgechat.history.syncer import Syncer
from edgechat.http.assets import Assets, find_web
from edgechat.net.heartbeat import keep_heartbeat
from edgechat.net.listener import Listener
from edgechat.net.listening import ListenError, listen, url
from edgechat.net.poller import Poller
from edgechat.net.sender import Sender
from edgechat.rooms import defects
from edgechat.rooms.limiter import AddressAllowance, Limiter, Unlimited
from edgechat.rooms.registry import Registry
from edgechat.rooms.room import Room
from edgechat.rooms.turn import Turn
from edgechat.settings import Settings
from edgechat.statistics import ServerStatistics

if TYPE_CHECKING:
    from quart_trio import QuartTrio

    from edgechat.http.hypercorn_bridge import HypercornBridge

_UNLIMITED = Unlimited()


async def serve(
    settings: Settings,
    stop: trio.Event,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` is set, and then stop in order; `started()` gets the address to open.

    Raises `DataFolderError` where the data folder can't be used, and `ListenError`.
    """
    system.raise_file_limit()
    folder = DataFolder(settings.data)
    key = folder.prepare()
    try:
        sockets = _listen(settings.hosts, settings.port)
        try:
            await _Server(settings, folder, key).run(sockets, stop, task_status)
        finally:
            for socket in sockets:
                socket.close()
    finally:
        folder.release()


def _listen(hosts: Sequence[str], port: int) -> Sequence[socket.socket]:
    """Listen on all of them, with one port. Raises `ListenError`."""
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            sockets += listen(host, port)
            port = sockets[0].getsockname()[1]
    except ListenError:
        for listening in sockets:
            listening.close()
        raise
    return sockets


class _Server:
    def __init__(self, settings: Settings, folder: DataFolder, key: bytes) -> None:
        self._settings = settings
        self._ids = PrivateIds(key)
        self._syncer = Syncer(settings.sync_interval)
        self._histories = Histories(folder, self._syncer, settings)
        self._http: HypercornBridge
        self._http_started = trio.Event()
        self._turn = Turn(self._histories, system.now_ms)
        self._poller = Poller(self._turn.finish)
        self._rooms: Registry[RoomKey, Room]
        self._limiters: Registry[str, Limiter]
        self._listener: Listener
        self._stopping = False

    def statistics(self) -> ServerStatistics:
        """What everybody counts, once the server runs."""
        return ServerStatistics(
            listener=self._listener.statistics(),
            poller=self._poller.statistics(),
            rooms=self._rooms.statistics(),
            members=sum(len(room.fanout) for room in self._rooms),
            limiters=self._limiters.statistics(),
            turn=self._turn.statistics(),
            journal=self._histories.statistics(),
            defects=defects.statistics(),
        )

    async def run(
        self, sockets: Sequence[socket.socket], stop: trio.Event, started: trio.TaskStatus[str]
    ) -> None:
        """Connections need rooms, and rooms what is in the background: so they end."""
        try:
            await self._run(sockets, stop, started)
        finally:
            self._poller.close()

    async def _run(
        self, sockets: Sequence[socket.socket], stop: trio.Event, started: trio.TaskStatus[str]
    ) -> None:
        async with trio.open_nursery() as background:
            await self._histories.start()
            background.start_soon(self._syncer.run)
            background.start_soon(self._histories.tidy)
            background.start_soon(self._poller.run)
            background.start_soon(self._histories.run, self._turn.answered)
            async with trio.open_nursery() as living:
                self._open_registries(living, background)
                listener = self._listener
                background.start_soon(self._keep_heartbeat, listener)
                async with (
                    trio.open_nursery() as connections,
                    trio.open_nursery() as accepting,
                ):
                    for socket in sockets:
                        accepting.start_soon(listener.accept, socket, connections)
                    await self._start_http(background)
                    started.started(url(sockets[0]))
                    await stop.wait()
                    deadline = trio.current_time() + self._settings.stop_timeout
                    connections.cancel_scope.deadline = living.cancel_scope.deadline = deadline
                    background.start_soon(self._abort_http, deadline)
                    self._send_away()
                    await listener.drain()
                    accepting.cancel_scope.cancel()
                self._send_away()  # a late request may have opened one more room
            with trio.CancelScope(shield=True):
                await self._histories.flush()
            background.cancel_scope.cancel()

    def _send_away(self) -> None:
        """Rooms finish what they were told; everybody is to come back to the next server."""
        self._stopping = True
        for room in self._rooms:
            room.stop()

    async def _abort_http(self, deadline: float) -> None:
        """Cancelling is not enough there: Hypercorn shields its sends."""
        await trio.sleep_until(deadline)
        self._http.abort()

    async def _keep_heartbeat(self, listener: Listener) -> None:
        settings = self._settings
        await keep_heartbeat(listener.websockets, settings.heartbeat, settings.heartbeat_timeout)

    def _make_room(self, key: RoomKey) -> Room:
        return Room(key, self._histories, self._settings, self._turn, Sender.write_all)

    def _open_registries(self, living: trio.Nursery, background: trio.Nursery) -> None:
        settings = self._settings
        self._rooms = Registry(living, self._make_room, settings.max_rooms, "room")
        self._limiters = Registry(background, self._make_limiter, settings.max_limiters, "limiter")
        self._listener = Listener(
            settings, self._rooms, self._ids, self._allowance_of, self._serve_http, self._poller
        )

    def _make_limiter(self, address: str) -> Limiter:
        settings = self._settings
        return Limiter(settings.message_interval, settings.message_grace, settings.limiter_idle)

    def _allowance_of(self, address: str) -> Spendable:
        if not self._settings.message_interval:
            return _UNLIMITED
        return AddressAllowance(self._limiters, address)

    async def _start_http(self, living: trio.Nursery) -> None:
        """The HTTP side. Half of a start is importing it, and WebSockets need not wait for that."""
        make_app, plain_http = await system.run_in_thread(_import_http)
        assets = Assets(find_web(), self._settings.frame_ancestors)
        app = make_app(self._settings, assets, self._rooms, self._ids, lambda: not self._stopping)
        self._http = plain_http(self._settings)
        await self._http.start(app, living)
        self._http_started.set()

    async def _serve_http(self, connection: socket.socket, early: bytes) -> None:
        await self._http_started.wait()
        await self._http.serve(connection, early)


def _import_http() -> tuple[Callable[..., QuartTrio], type[HypercornBridge]]:
    """What the HTTP side is made of, with Quart and Hypercorn."""
    from edgechat.http.app import make_app
    from edgechat.http.hypercorn_bridge import HypercornBridge

    return make_app, HypercornBridge
