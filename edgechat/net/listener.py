"""The two ways of a request: upgrades for rooms go to `websocket`, all else to the HTTP server.

The door (`door`) lets connections in and reads heads; what comes behind it is here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import trio

from edgechat.chat.allowance import Spendable
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.chat.origin import parse_origin
from edgechat.net.budget import Budgets
from edgechat.net.caller import Caller
from edgechat.net.door import Door
from edgechat.net.handshake import shake_hands
from edgechat.net.linger import linger
from edgechat.net.poller import Poller
from edgechat.net.refused import STOPPING, TOO_MANY_ROOMS, Refused
from edgechat.net.request_head import Head
from edgechat.net.statistics import ListenerStatistics
from edgechat.net.websocket import WebSocket
from edgechat.rooms.member import be_member
from edgechat.rooms.registry import Full, Registry
from edgechat.rooms.room import Room
from edgechat.settings import Settings

_ABNORMAL = 1006  # a WebSocket that ended without a close frame of ours: RFC 6455, section 7.1.5

# Returns what came behind a request whose connection goes on, or None where it ends.
ServeHttp = Callable[[Caller, Head], Awaitable[bytes | None]]


class Listener:
    """What the door lets in, parted the two ways."""

    def __init__(
        self,
        settings: Settings,
        rooms: Registry[RoomKey, Room],
        ids: PrivateIds,
        allowance: Callable[[str], Spendable],
        serve_http: ServeHttp,
        poller: Poller,
    ) -> None:
        """`allowance` gives an address's. Raises `ValueError`: a wrong allowed origin."""
        self._origins = {parse_origin(text) for text in settings.allowed_origins}
        self.door = Door(settings, self._part)
        self.websockets: dict[WebSocket, None] = {}  # the oldest first
        self._stopping = False
        self._left = trio.Event()  # set when a WebSocket is gone
        self._settings = settings
        self._rooms = rooms
        self._ids = ids
        self._allowance = allowance
        self._serve_http = serve_http
        self._poller = poller
        self._budgets = Budgets(settings)
        self._closes: Counter[int] = Counter()

    async def drain(self) -> None:
        """Let nobody in any more; returns when all who were in are gone.

        Other requests are answered meanwhile, so that `/readyz` can say so.
        """
        self._stopping = True
        self.door.hurry()
        while self.websockets:
            self._left = trio.Event()
            await self._left.wait()
        self.door.give_up()

    def statistics(self) -> ListenerStatistics:
        """As of now, and since the start."""
        door = self.door.statistics()
        return ListenerStatistics(
            door.accepted,
            door.refused,
            door.connections,
            self._budgets.statistics(),
            len(self.websockets),
            sum(websocket.sender.waiting for websocket in self.websockets),
            dict(self._closes),
        )

    async def _part(self, caller: Caller, head: Head) -> bytes | None:
        """Raises `Refused`."""
        if head.wants_websocket:
            await self._serve_websocket(caller, head)
            return None
        behind = await self._serve_http(caller, head)
        if behind is None:
            await linger(caller.connection, self._settings.linger_timeout)
        return behind

    async def _serve_websocket(self, caller: Caller, head: Head) -> None:
        handshake = shake_hands(head, self._ids, self._origins)
        if self._stopping:
            raise Refused(STOPPING)
        try:
            room = self._rooms.get(handshake.key)
        except Full:
            raise Refused(TOO_MANY_ROOMS) from None
        allowance = self._allowance(self.door.admission.client(caller.peer, head))
        budget = self._budgets.of(caller.counted)
        caller.connection.send(handshake.answer)  # it fits, too
        try:
            async with trio.open_nursery() as nursery:
                websocket = WebSocket(caller.connection, nursery, self._settings, head.rest, budget)
                self.websockets[websocket] = None
                with self._poller.watch(websocket):
                    await be_member(websocket, room, allowance, self._settings)
                nursery.cancel_scope.cancel()
            await websocket.finish()
        finally:
            self.websockets.pop(websocket, None)
            self._closes[websocket.close_code or _ABNORMAL] += 1
            self._left.set()
