"""The requests of a room's HTTP API that stand for a WebSocket's frames."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import msgspec

from edgechat.client.address import RoomAddress
from edgechat.client.connection import ended_by_http
from edgechat.client.events import Limits
from edgechat.client.http_request import HttpAnswer, HttpStream, request, stream
from edgechat.client.reconnect import Ended
from edgechat.client.room_options import Options
from edgechat.client.streams import OpenStream


class NoAnswer(Exception):
    """The room's head is not there: something else answers, or EdgeChat says that it is not."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.words)
        self.ended = ended


class RoomHead(msgspec.Struct, frozen=True):
    """The room as it is now."""

    room: str
    seq: int
    h: str
    members: int
    limits: Limits | None = None


class RoomRequests:
    """Requests about one room. All raise one of `connection.NETWORK_ERRORS`."""

    def __init__(self, address: RoomAddress, dial: OpenStream, options: Options) -> None:
        self._address = address
        self._dial = dial
        self._options = options

    async def head(self) -> RoomHead:
        """The room's newest line, and how many are in it. Raises `NoAnswer`."""
        target = self._address.api("")
        answer = await request("GET", self._address.server, target, self._dial, self._options)
        if answer.status != 200:
            retry_after = answer.headers.get(b"retry-after", b"")
            raise NoAnswer(ended_by_http(answer.status, answer.body, retry_after))
        try:
            return msgspec.json.decode(answer.body, type=RoomHead)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise NoAnswer(Ended(text=f"not of this protocol: {error}")) from None

    async def post(self, name: str, message: str, id: str | None) -> HttpAnswer:
        """Say something: 201 and the line, or a refusal."""
        said = {"name": name, "message": message} | ({} if id is None else {"id": id})
        body = msgspec.json.encode(said)
        target = self._address.api("/messages")
        server, dial, options = self._address.server, self._dial, self._options
        return await request("POST", server, target, dial, options, body)

    def events(self, since: str) -> AbstractAsyncContextManager[HttpStream | HttpAnswer]:
        """The room's events after a place, a number or a token; or the answer that is an error."""
        target = self._address.api(f"/events?since={since}")
        server, dial, options = self._address.server, self._dial, self._options
        return stream(server, target, "text/event-stream", dial, options)
