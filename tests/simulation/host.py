"""The machine that the server runs on: it starts the server again whenever it ended.

What runs is the server with all that it is made of. Only `edgechat.system` is replaced, and the
sockets that it accepts. The HTTP side is left out: Hypercorn wants real sockets.
"""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

import trio

from edgechat import server
from edgechat.history.data_folder import DataFolder, DataFolderError
from edgechat.settings import Settings

from .network import Link
from .stream import Door
from .system import Killed, System
from .truth import Truth

_KEY = bytes(32)


class Server(server._Server):
    """The real one, without HTTP."""

    async def _start_http(self, living: trio.Nursery) -> None:
        self._http = SimpleNamespace(abort=lambda: None)  # type: ignore[assignment]


class Host:
    """One machine."""

    def __init__(self, settings: Settings, system: System, truth: Truth, random: Random) -> None:
        self._settings = settings
        self._system = system
        self._truth = truth
        self._random = random
        self._door: Door | None = None
        self._links: list[Link] = []
        self._scope = trio.CancelScope()
        self._stop = trio.Event()
        system.die = self.crash
        self._dies_of_power = False

    # What happens to it.

    def connect(self, link: Link) -> None:
        """Raises `OSError` where nobody listens."""
        if self._door is None:
            raise ConnectionRefusedError
        self._links = [link for link in self._links if link.served]
        self._links.append(link)
        self._door.knock(link)

    def restart(self) -> None:
        """Stop it in order; it comes back by itself."""
        self._stop.set()

    def doom(self, calls: int, *, power: bool) -> None:
        """Crash, or lose power: at once, or in the middle of a system call, after so many."""
        self._dies_of_power = power
        if calls:
            self._system.doomed_in = calls - 1
        else:
            self.crash()

    def crash(self) -> None:
        """`kill -9`, or the plug."""
        if not self._system.alive:
            return
        self._door = None
        self._truth.is_serving = False
        self._system.kill()
        for link in self._links:
            if self._dies_of_power:
                link.served = False
                link.cut(5.0)
            elif link.served:
                link.reset_by_kernel()
        self._scope.cancel()
        if self._dies_of_power:
            self._system.disk.lose_power()
            self._truth.power_lost()

    # Its life.

    def _started(self, _: object) -> None:
        self._truth.is_serving = True

    async def run(self) -> None:
        with self._system.in_place():
            while True:
                await self._serve()
                await trio.sleep(self._random.choice((0.01, 0.2, 2.0)))

    async def _serve(self) -> None:
        self._system.boot()
        self._truth.boot()
        self._stop = trio.Event()
        self._door = door = Door()
        running = Server(self._settings, DataFolder(self._settings.data), _KEY)
        with trio.CancelScope() as self._scope:
            try:
                status = SimpleNamespace(started=self._started)
                await running.run([door], self._stop, status)  # type: ignore[list-item]
            except* (Killed, DataFolderError):
                pass
        self._door = None
        self._truth.is_serving = False
        self._system.alive = False
        for link in self._links:
            if link.served:
                link.reset_by_kernel()
