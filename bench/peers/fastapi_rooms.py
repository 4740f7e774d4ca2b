"""The peer on FastAPI, uvicorn and uvloop, with the connection loop of FastAPI's documentation."""
# mypy: disable-error-code="import-not-found,untyped-decorator,misc"

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from room import Room, Rooms, in_files

app = FastAPI()
rooms: Rooms[WebSocket] = Rooms(in_files(Path(sys.argv[2])))


async def broadcast(room: Room[WebSocket], payload: bytes) -> None:
    """Send to each member in turn; one that is gone is dealt with by its own handler."""
    text = payload.decode()
    for member in list(room.roster):
        try:
            await member.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            room.leave(member)


async def join(socket: WebSocket, room: Room[WebSocket]) -> None:
    """Take the hello, and send what a newcomer gets."""
    hello = msgspec.json.decode(await socket.receive_text())
    welcome, joined, ready = room.join(socket, hello.get("name") or "anonymous")
    for payload in welcome:
        await socket.send_text(payload.decode())
    await broadcast(room, joined)
    await socket.send_text(ready.decode())


@app.websocket("/api/room/{name}/websocket")
async def handle(socket: WebSocket, name: str) -> None:
    """One member's life."""
    room = rooms.at(socket.url.path)
    await socket.accept()
    try:
        await join(socket, room)
        while True:
            message = msgspec.json.decode(await socket.receive_text())["message"]
            await broadcast(room, room.say(socket, message))
    except WebSocketDisconnect:
        pass
    finally:
        notice = room.leave(socket)
        if notice is not None:
            await broadcast(room, notice)


uvicorn.run(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop="uvloop",
    ws="websockets-sansio",
    ws_per_message_deflate=False,
    backlog=4096,
    access_log=False,
    log_level="warning",
)
