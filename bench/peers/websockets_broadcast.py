"""The peer on `websockets` and uvloop, as its documentation tells to fan out: `broadcast()`."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec
import uvloop
from room import Room, Rooms, in_files
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

rooms: Rooms[ServerConnection] = Rooms(in_files(Path(sys.argv[2])))


async def handle(connection: ServerConnection) -> None:
    """One member's life."""
    assert connection.request is not None
    room = rooms.at(connection.request.path)
    try:
        with contextlib.suppress(ConnectionClosed):
            await join(connection, room)
            async for frame in connection:
                line = room.say(connection, msgspec.json.decode(frame)["message"])
                broadcast(room.roster, line.decode())
    finally:
        notice = room.leave(connection)
        if notice is not None:
            broadcast(room.roster, notice.decode())


async def join(connection: ServerConnection, room: Room[ServerConnection]) -> None:
    """Take the hello, and send what a newcomer gets."""
    hello = msgspec.json.decode(await connection.recv())
    welcome, joined, ready = room.join(connection, hello.get("name") or "anonymous")
    for payload in welcome:
        broadcast((connection,), payload.decode())
    broadcast(room.roster, joined.decode())
    await connection.send(ready.decode())


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", int(sys.argv[1]), compression=None, backlog=4096):
        await asyncio.Future()


uvloop.run(main())
