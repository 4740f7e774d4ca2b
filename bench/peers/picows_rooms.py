"""The peer on picows and uvloop: a listener object for each member, sending from the callback."""
# mypy: disable-error-code="import-not-found,misc"

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from room import Room, Rooms


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
                self.tell_all(self.room.say(self, event["message"]))
            else:
                self.join(event.get("name") or "anonymous")
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Gone, in whatever way."""
        notice = self.room.leave(self)
        if notice is not None:
            self.tell_all(notice)

    def join(self, name: str) -> None:
        """The first frame: a hello."""
        welcome, joined, ready = self.room.join(self, name)
        for payload in welcome:
            self.transport.send(WSMsgType.TEXT, payload)
        self.tell_all(joined)
        self.transport.send(WSMsgType.TEXT, ready)

    def tell_all(self, payload: bytes) -> None:
        """One send for each member."""
        for member in self.room.roster:
            member.transport.send(WSMsgType.TEXT, payload)


rooms: Rooms[Member] = Rooms(Path(sys.argv[2]))


def accept(request: WSUpgradeRequest) -> Member:
    """The listener for a new connection."""
    return Member(rooms.at(request.path.decode()))


async def main() -> None:
    """Serve until killed."""
    server = await ws_create_server(accept, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    uvloop.run(main())
