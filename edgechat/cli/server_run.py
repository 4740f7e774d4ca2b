"""A run of the server, from its start to its stop: signals, and what is told of it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import click
import trio

from edgechat import __version__
from edgechat.cli.notify import ServiceManager
from edgechat.garbage import collect_seldom
from edgechat.settings import Settings

log = logging.getLogger(__name__)

Serve = Callable[..., Awaitable[None]]


class ServerRun:
    """One server, and whoever started it."""

    def __init__(
        self, settings: Settings, serve: Serve, reload: Callable[[], Settings | None] | None
    ) -> None:
        """`reload` answers SIGHUP: with what holds from now on, or None if nothing changes."""
        self._settings = settings
        self._serve = serve
        self._reload = reload
        self._manager = ServiceManager(os.environ)
        self._stop = trio.Event()
        self._changes, self._changed = trio.open_memory_channel[Settings](1)

    async def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async with trio.open_nursery() as beside:
                beside.start_soon(self._obey, signals)
                async with trio.open_nursery() as nursery:
                    address = await nursery.start(
                        self._serve, self._settings, self._stop, self._changed
                    )
                    collect_seldom()
                    self._tell_started(address)
                    beside.start_soon(self._manager.keep_alive)
                log.info("Stopped.")
                beside.cancel_scope.cancel()

    async def _obey(self, signals: AsyncIterator[int]) -> None:
        """To the end of the run: a signal that nobody took would end the process."""
        async for number in signals:
            if number != signal.SIGHUP or self._reload is None:
                self._stop_by(number)
            elif (settings := self._reload()) is not None:
                await self._changes.send(settings)

    def _stop_by(self, number: int) -> None:
        if not self._stop.is_set():
            self._manager.tell("STOPPING=1")
            log.info("Stopping: got %s.", signal.Signals(number).name)
        self._stop.set()

    def _tell_started(self, address: str) -> None:
        self._manager.tell("READY=1", f"STATUS=Serving at {address}")
        log.info("Started: version %s, at %s", __version__, address)
        click.echo(
            f"EdgeChat is at {address} with its histories in {self._settings.data.resolve()} "
            "(stop it with Ctrl-C)"
        )
