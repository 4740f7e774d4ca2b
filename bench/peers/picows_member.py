"""What the peers on picows share: a listener object for each member, sending from the callback."""
# mypy: disable-error-code="import-not-found,misc"

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from room import Room, Rooms


def tell_all(room: Room[Member], payload: bytes) -> None:
    """One send for each member."""
    for member in room.roster:
        member.transport.send(WSMsgType.TEXT, payload)


class Member(WSListener):
    """One connection, in the room of its path."""

    transport: WSTransport

    def __init__(self, room: Room[Member]) -> None:
        super().__init__()
        self.room = room

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came in whole."""
        if frame.msg_type == WSMsgType.TEXT:
            event = msgspec.json.decode(frame.get_payload_as_memoryview())
            if self in self.room.roster:
                self.say(event["message"])
            else:
                self.join(event.get("name") or "anonymous")
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Gone, in whatever way."""
        notice = self.room.leave(self)
        if notice is not None:
            tell_all(self.room, notice)

    def join(self, name: str) -> None:
        """The first frame: a hello."""
        welcome, joined, ready = self.room.join(self, name)
        for payload in welcome:
            self.transport.send(WSMsgType.TEXT, payload)
        tell_all(self.room, joined)
        self.transport.send(WSMsgType.TEXT, ready)

    def say(self, message: str) -> None:
        """Every other frame: a message."""
        tell_all(self.room, self.room.say(self, message))


def serve(rooms: Rooms[Member], make: Callable[[Room[Member]], Member]) -> None:
    """Serve until killed."""

    def accept(request: WSUpgradeRequest) -> Member:
        return make(rooms.at(request.path.decode()))

    async def main() -> None:
        server = await ws_create_server(accept, "127.0.0.1", int(sys.argv[1]), backlog=4096)
        await server.serve_forever()

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    uvloop.run(main())
