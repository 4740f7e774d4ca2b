"""When a room is joined by HTTP, and when by a WebSocket again.

Some networks let no WebSocket through: their proxies refuse the upgrade, drop it, or never answer
it. When a WebSocket brought nothing although the server's port took the connection, the room's
HTTP address is asked. If it answers, a second WebSocket is tried at once: a server that has just
restarted takes it. If that brings nothing either, the room goes on by HTTP. Each new connection
begins with a WebSocket, and from time to time one is tried while HTTP is in use.
"""

from __future__ import annotations

import trio

from edgechat.client.address import RoomAddress
from edgechat.client.connection import NETWORK_ERRORS, Connection, Frames, Talk, converse
from edgechat.client.http_connection import converse_by_http
from edgechat.client.reconnect import ABNORMAL, Ended
from edgechat.client.room_options import Options
from edgechat.client.room_requests import NoAnswer, RoomRequests
from edgechat.client.streams import OpenStream

DEAF = 2  # WebSockets in a row that bring nothing, while HTTP works
# What the server says of an upgrade that lost its headers on the way. All else that it says itself
# is an answer: then no proxy stands between.
NO_UPGRADE = "not_a_websocket"


class Fallback:
    """Opens connections to one room, one way or the other. `dial` opens a stream."""

    def __init__(self, address: RoomAddress, dial: OpenStream, options: Options) -> None:
        self._address = address
        self._dial = dial
        self._options = options
        self._requests = RoomRequests(address, dial, options)
        self._deaf = 0

    async def converse(self, talk: Talk) -> Ended:
        """As `connection.converse`: `talk`, and return how that ended, or why it did not begin."""
        while True:
            ended, is_deaf = await self._try(talk)
            if not is_deaf:
                self._deaf = 0
                return ended
            try:
                await self._requests.head()
            except NoAnswer as failure:
                self._deaf = 0
                return failure.ended if failure.ended.error else ended
            except NETWORK_ERRORS:
                self._deaf = 0
                return ended
            self._deaf += DEAF if ended.is_late else 1
            if self._deaf >= DEAF:
                return await converse_by_http(self._requests, self._websocket_again, talk)

    async def _try(self, talk: Talk) -> tuple[Ended, bool]:
        """A WebSocket: how it ended, and whether it brought nothing but a connection."""
        connections: list[Connection] = []
        dialled: list[trio.abc.Stream] = []

        async def dial() -> trio.abc.Stream:
            dialled.append(await self._dial())
            return dialled[-1]

        async def noting(connection: Frames) -> Ended:
            assert isinstance(connection, Connection)
            connections.append(connection)
            return await talk(connection)

        server, target = self._address.server, self._address.target
        ended = await converse(dial, server.authority, target, self._options, noting)
        said = ended.error not in ("", NO_UPGRADE) or ended.code != ABNORMAL
        heard = any(each.heard for each in connections)
        return ended, bool(dialled) and not (said or heard)

    async def _websocket_again(self) -> Ended:
        """Wait until one can be opened. It is closed at once: the room is joined by the next."""
        opened: list[Frames] = []

        async def look(connection: Frames) -> Ended:
            opened.append(connection)
            return Ended()

        wait = self._options.websocket_retry
        while not opened:
            await trio.sleep(wait)
            wait = min(2 * wait, self._options.websocket_retry_cap)
            server, target = self._address.server, self._address.target
            await converse(self._dial, server.authority, target, self._options, look)
        return Ended(text="a WebSocket can be opened again")
