"""The supervised link to the engine: it connects, looks whose engine it is, and begins again.

A link is not up before it is known whose engine it leads to, and before the rooms that are open
here have heard what they missed (`arrive`). What is asked before that waits, or is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

import hiredis
import trio

from edgechat import system
from edgechat.nodes.engine_address import EngineAddress
from edgechat.nodes.engine_connection import EngineConnection, Pushed
from edgechat.nodes.engine_socket import open_wire
from edgechat.nodes.errors import EngineError, LinkDown
from edgechat.nodes.identity import Identity, greet

log = logging.getLogger(__name__)

_CONNECT = 5.0  # seconds for a connection and TLS
_ARRIVE = 60.0  # seconds for all rooms to hear what they missed
_SHORTEST, _LONGEST = 0.05, 0.5  # seconds between two tries, and half as much more
_TROUBLES = (OSError, hiredis.HiredisError, LinkDown, EngineError, trio.TooSlowError)
_NO_AOF = "The engine at %s has no append-only file: what was said last is lost if it ends."

# Given a connection to a known engine, and whether that is another process than before.
Arrive = Callable[[EngineConnection, bool], Awaitable[None]]


class Link:
    """One engine, over whatever connection there is now."""

    def __init__(
        self,
        address: EngineAddress,
        pushed: Pushed,
        settled: Callable[[], None],
        arrive: Arrive,
    ) -> None:
        """`pushed` and `settled` are a connection's; `arrive` is awaited before it is `up`."""
        self.address = address
        self.up: EngineConnection | None = None
        self.down_since = trio.current_time()  # while it is not up
        self.trouble = "it was not tried yet"
        self.came_up = trio.Event()  # another one when it went down
        self.links = 0  # that came up
        self._pushed, self._settled, self._arrive = pushed, settled, arrive
        self._identity: Identity | None = None
        self._newest: EngineConnection | None = None  # to a known engine

    def connection(self) -> EngineConnection:
        """The newest one, which may not be up yet, or no more. Raises `LinkDown`."""
        if self._newest is None:
            raise LinkDown
        return self._newest

    @property
    def ping(self) -> float:
        """Seconds that the engine took for its last answer to a ping; 0 before the first."""
        return self._newest.ping if self._newest is not None else 0.0

    async def wait_up(self) -> None:
        """Until it is up."""
        while self.up is None:
            await self.came_up.wait()

    async def run(self) -> NoReturn:
        """Keep the link up, for ever."""
        pause = _SHORTEST
        while True:
            was_up = self.links
            try:
                await self._live()
            except* _TROUBLES as group:
                self._note(_first(group))
            if self.links > was_up:
                pause = _SHORTEST
            jitter = 0.5 + system.token_bytes(1)[0] / 256
            await trio.sleep(pause * jitter)
            pause = min(2 * pause, _LONGEST)

    async def _live(self) -> None:
        """One connection, from its first byte to its end."""
        with trio.fail_after(_CONNECT):
            wire = await open_wire(self.address)
        connection = EngineConnection(wire, self._pushed, self._settled)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.run)
                await self._come_up(connection)
        finally:
            if self.up is not None:
                self.up = None
                self.came_up = trio.Event()
                self.down_since = trio.current_time()

    async def _come_up(self, connection: EngineConnection) -> None:
        with trio.fail_after(_ARRIVE):
            with trio.fail_after(_CONNECT):
                identity = await greet(connection, self.address)
            known, self._identity = self._identity, identity
            if known is None or known.run_id != identity.run_id:
                log.info("The engine at %s is version %s.", self.address, identity.version)
                if not identity.has_aof:
                    log.warning(_NO_AOF, self.address)
            changed = known is not None and known.run_id != identity.run_id
            self._newest = connection
            await self._arrive(connection, changed)
        if self.links:
            log.warning("The engine at %s is back.", self.address)
        self.links += 1
        self.trouble = ""
        self.up = connection
        self.came_up.set()
        self._settled()

    def _note(self, error: BaseException) -> None:
        text = "it does not answer in time" if isinstance(error, trio.TooSlowError) else str(error)
        if text != self.trouble:
            self.trouble = text
            log.error("The engine at %s can't be used: %s", self.address, text)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
