"""A node: the real server on its machine, without listening sockets; it may be killed any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING

import trio

from edgechat import server
from edgechat.chat.errors import Close
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.nodes.errors import EngineError
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Full
from edgechat.rooms.room import Room
from edgechat.rooms.socket import Disconnected, Handler
from edgechat.settings import Settings
from edgechat.storage_start import join_nodes

from ..system import Killed
from .machine import Machine

if TYPE_CHECKING:
    from .person import Visit

KEY = bytes(range(32))


class Server(server._Server):
    """The real one. Instead of a listener and HTTP it has `visit`."""

    _connections: trio.Nursery

    def _let_in(self, sockets: object, accepting: object, connections: trio.Nursery) -> None:
        self._connections = connections

    async def _start_http(self, living: trio.Nursery) -> None:
        self._http = SimpleNamespace(abort=lambda: None)  # type: ignore[assignment]

    def _make_room(self, key: RoomKey) -> Room:
        return Room(key, self._storage.rooms, self._settings, self._turn)

    def visit(self, socket: Socket, room: str) -> None:
        """Somebody comes."""
        self._connections.start_soon(self._serve_visit, socket, room)

    async def _serve_visit(self, socket: Socket, name: str) -> None:
        try:
            room = self._rooms.get(RoomKey(name, private=False))
        except Full:
            socket.close(Close.FULL)
            return
        with socket.scope:
            allowance = self._allowances.of(socket.visit.address)
            await be_member(socket, room, allowance, self._settings)
        socket.close(Close.RESTART)

    def finish_turn(self) -> None:
        self._turn.finish()


class Socket:
    """A connection to a person, as a room uses one (`rooms.socket.Socket`)."""

    def __init__(self, node: Node, running: Server, visit: Visit) -> None:
        self.visit = visit
        self.scope = trio.CancelScope()
        self._node = node
        self._process = node.process
        self._running = running
        self._feed, self._fed = trio.open_memory_channel[list[str | None]](1_000)
        self._is_open = True

    @property
    def sender(self) -> Socket:
        return self

    async def receive(self, handler: Handler | None = None) -> Sequence[str | None]:
        while True:
            try:
                left: Sequence[str | None] = await self._fed.receive()
            except trio.EndOfChannel:
                raise Disconnected from None
            if handler is not None:
                left = handler(left)
                self._running.finish_turn()
            if left:
                return left

    def charge(self, frames: float) -> None:
        pass

    def write(self, data: bytes) -> None:
        if self._is_open and self._node.process == self._process:
            self.visit.hear(data)

    async def drained(self) -> None:
        await trio.lowlevel.checkpoint()

    def close(self, code: Close, reason: str = "") -> None:
        if self._is_open:
            self._is_open = False
            self.scope.cancel()
            if self._node.process == self._process:
                self.visit.closed(code)

    # For the person.

    def say(self, text: str) -> None:
        if self._is_open:
            self._feed.send_nowait([text])

    def hang_up(self) -> None:
        self._feed.close()

    def reset(self) -> None:
        """The process is gone."""
        if self._is_open:
            self._is_open = False
            self.visit.closed(None)


class Node:
    """One node, in one life after the other."""

    def __init__(self, name: str, settings: Settings, machine: Machine, random: Random) -> None:
        self.name = name
        self.machine = machine
        self.settings = replace(settings, data=settings.data / name)
        self.lives = 0
        self.process = 0  # 0: none
        self.running: Server | None = None  # while it takes visitors
        self.is_wanted = True
        self._random = random
        self._stop = trio.Event()
        self._scope = trio.CancelScope()
        self._start = trio.Event()
        self._sockets: list[Socket] = []
        machine.die = self.kill

    def visit(self, visit: Visit, room: str) -> Socket:
        """Raises `OSError` where it does not serve."""
        if self.running is None:
            raise ConnectionRefusedError
        socket = Socket(self, self.running, visit)
        self._sockets = [each for each in self._sockets if each._is_open]
        self._sockets.append(socket)
        with self.machine.here():
            try:
                self.running.visit(socket, room)
            except RuntimeError:  # its nursery is closed: it ends
                raise ConnectionRefusedError from None
        return socket

    def kill(self) -> None:
        """As `kill -9`."""
        if not self.process:
            return
        self.process = 0
        self.running = None
        self.machine.kill()
        self.machine.path.cut()
        for socket in self._sockets:
            socket.reset()
        self._sockets.clear()
        self._scope.cancel()

    def stop(self) -> None:
        """In order."""
        self.running = None
        self._stop.set()

    def want(self, is_wanted: bool) -> None:
        """Whether it is started again when it has ended."""
        self.is_wanted = is_wanted
        self._start.set()
        self._start = trio.Event()

    async def run(self) -> None:
        """Live again and again."""
        with self.machine.here():
            while True:
                await self._live()
                await trio.sleep(self._random.choice((0.05, 0.3, 1.0)))
                while not self.is_wanted:
                    await self._start.wait()

    async def _live(self) -> None:
        self.machine.boot()
        self.lives += 1
        self.process = self.lives
        self._stop = trio.Event()
        with trio.CancelScope() as self._scope:
            try:
                folder = DataFolder(self.settings.data)
                key = await join_nodes(self.settings, folder, KEY)
                running = Server(self.settings, folder, key)

                def started(_: object) -> None:
                    self.running = running

                status = SimpleNamespace(started=started)
                await running.run([], self._stop, status)
            except* (Killed, DataFolderError, EngineError):
                pass
        self.running = None
        self.process = 0
        self.machine.path.cut()
        for socket in self._sockets:
            socket.reset()
        self._sockets.clear()
        self.machine.alive = False
