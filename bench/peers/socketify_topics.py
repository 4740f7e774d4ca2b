"""The peer on socketify (uWebSockets, C++): each room a native topic that members subscribe to."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from room import Room, Rooms, in_files
from socketify import App, CompressOptions, OpCode

app = App()
rooms: Rooms[str] = Rooms(in_files(Path(sys.argv[2])))
keys = iter(range(1 << 60))


def upgrade(response: Any, request: Any, context: Any) -> None:
    """Remember the room of the request's path, and accept."""
    key, version = (request.get_header(f"sec-websocket-{part}") for part in ("key", "protocol"))
    data = {"path": request.get_url(), "key": str(next(keys))}
    response.upgrade(key, version, request.get_header("sec-websocket-extensions"), context, data)


def on_open(socket: Any) -> None:
    """Nothing is sent before the hello."""


def on_message(socket: Any, message: str, opcode: OpCode) -> None:
    """A hello, if it is the first frame; a message otherwise."""
    data = socket.get_user_data()
    room, key = rooms.at(data["path"]), data["key"]
    event = msgspec.json.decode(message)
    if key in room.roster:
        app.publish(room.name, room.say(key, event["message"]), OpCode.TEXT)
    else:
        join(socket, room, key, event.get("name") or "anonymous")


def join(socket: Any, room: Room[str], key: str, name: str) -> None:
    """The newcomer gets the roster and the backlog, then everybody the notice."""
    welcome, joined, ready = room.join(key, name)
    for payload in welcome:
        socket.send(payload, OpCode.TEXT)
    socket.subscribe(room.name)
    app.publish(room.name, joined, OpCode.TEXT)
    socket.send(ready, OpCode.TEXT)


def on_close(socket: Any, code: int, message: Any) -> None:
    """Gone, in whatever way."""
    data = socket.get_user_data()
    room = rooms.at(data["path"])
    notice = room.leave(data["key"])
    if notice is not None:
        app.publish(room.name, notice, OpCode.TEXT)


app.ws("/api/room/:name/websocket", {
    "compression": CompressOptions.DISABLED,
    "max_payload_length": 64 * 1024,
    "max_backpressure": 16 * 1024 * 1024,
    "upgrade": upgrade,
    "open": on_open,
    "message": on_message,
    "close": on_close,
})  # fmt: skip
app.listen({"port": int(sys.argv[1]), "host": "127.0.0.1"}, lambda config: None)
app.run()
