"""Waits until replicas of the engine have what was stored, before anybody is shown it.

That is `WAIT` (https://valkey.io/commands/wait/), once for all that was stored or heard since the
last one. What too few replicas have is neither told nor refused: it is asked for again, on the
next link too. While they are too few nothing new is sent.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import trio

from edgechat.chat.errors import StorageUnavailable
from edgechat.nodes import keys
from edgechat.nodes.engine_connection import EngineConnection
from edgechat.nodes.errors import LinkDown
from edgechat.nodes.room_log import RoomLog

log = logging.getLogger(__name__)

_WAIT = 500  # milliseconds that the engine waits for its replicas
_PATIENCE = 2.0  # seconds that an opening waits for them
_UNANSWERED = 10.0  # seconds after which nobody waits for what was stored
_SHORT = "too few replicas of the engine have what is said"
_FEW = "Fewer than %d of the engine's replicas have what is said: messages are not taken."
_ENOUGH = "Enough of the engine's replicas have what is said again: %d."


class _Held(NamedTuple):
    """Something that waits to be told."""

    room: RoomLog | None
    tell: Callable[[], None]


class Replicas:
    """What waits for replicas."""

    def __init__(
        self,
        wanted: int,
        up: Callable[[], EngineConnection | None],
        logs: Mapping[bytes, RoomLog],
        abandon: Callable[[RoomLog], None],
        launch: Callable[[RoomLog], None],
    ) -> None:
        """`wanted` replicas are waited for; 0: none, and nothing is held back.

        `up` is the connection that is up, `logs` are those of open rooms. `abandon` tells a room
        that nobody knows whether its lines are kept; `launch` sends what waited in one.
        """
        self.wanted = wanted
        self.short_since: float | None = None  # while they are too few
        self._up = up
        self._logs = logs
        self._abandon = abandon
        self._launch = launch
        self._held: deque[_Held] = deque()
        self._asked: int | None = None  # how many of `_held` the question on its way is about

    @property
    def trouble(self) -> str:
        """Why nothing can be sent; empty where it can."""
        return _SHORT if self.short_since is not None else ""

    def hold(self, room: RoomLog | None, tell: Callable[[], None]) -> None:
        """Call `tell` when the replicas have all that is in the engine now."""
        self._held.append(_Held(room, tell))

    async def reach(self) -> None:
        """Until they have all that is in the engine now. Raises `StorageUnavailable`."""
        if self.short_since is not None:
            raise StorageUnavailable(_SHORT)
        if self.wanted:
            reached = trio.Event()
            self.hold(None, reached.set)
            self.ask()
            with trio.move_on_after(_PATIENCE):
                await reached.wait()
            if not reached.is_set():
                raise StorageUnavailable(_SHORT)

    def ask(self) -> None:
        """Ask for what is held, if nothing is on its way. Never waits."""
        if self._held and self.short_since is None:
            self._ask()

    def look(self) -> None:
        """Some times a second: ask again where they were too few, and give up in time."""
        if self.short_since is not None:
            self._ask()
        latest = trio.current_time() - _UNANSWERED
        for room in list(self._logs.values()):
            if room.unsafe is not None and room.unsafe.asked_at < latest:
                self._abandon(room)
                room.fail(_SHORT)

    def _ask(self) -> None:
        connection = self._up()
        if self._asked is not None or connection is None:
            return
        self._asked = len(self._held)
        # It waits for what this connection wrote last, so that has to come after what was heard.
        connection.call(_ignore, "PUBLISH", keys.WAITS, "")
        connection.call(self._answered, "WAIT", self.wanted, _WAIT)
        connection.flush()

    def _answered(self, reply: Any) -> None:
        asked, self._asked = self._asked or 0, None
        if isinstance(reply, LinkDown):
            return  # it is asked again when the link is up
        if isinstance(reply, int) and reply >= self.wanted:
            was_short, self.short_since = self.short_since is not None, None
            for _ in range(asked):
                self._release(self._held.popleft())
            if was_short:
                log.warning(_ENOUGH, reply)
                for room in list(self._logs.values()):
                    self._launch(room)
        elif self.short_since is None:
            self.short_since = trio.current_time()
            log.error(_FEW, self.wanted)

    def _release(self, held: _Held) -> None:
        room = held.room
        if room is None:
            held.tell()
            return
        room.held -= 1
        if room.failure is None:
            held.tell()
        else:
            self._abandon(room)
        if not room.held:
            self._launch(room)


def _ignore(reply: Any) -> None:
    """Nobody waits for it."""
