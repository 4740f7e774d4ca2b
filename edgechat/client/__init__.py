"""The Trio client: be in a room, hear each line once, say things and know that they are stored.

    async with open_room("http://127.0.0.1:8080/room/lobby", "bot") as room:
        async for event in room:
            match event:
                case Message(name=name, message="ping") if name != "bot":
                    line = await room.say("pong")
                    print("stored as", line.seq)

`run` makes a bot of a function: `docs/bots.md`.

Rules without I/O: `conversation.py` (and `timeline.py`, `unsent.py`, `reconnect.py` …). Tasks
and sockets: `runner.py`, `connection.py`. Where no WebSocket can be opened: `fallback.py`,
`http_connection.py`. Requests of HTTP: `room_api.py`. `events.py` is the vocabulary, `failures.py`
what can fail.
"""

from edgechat.chat.line import Token
from edgechat.client.address import room_url
from edgechat.client.bot import Bot, run, run_bot
from edgechat.client.events import (
    Delayed,
    Disconnected,
    Error,
    Event,
    Info,
    Joined,
    Limits,
    Line,
    Lost,
    Members,
    Message,
    Quit,
    Ready,
    Reset,
    Typing,
    UnknownRecord,
)
from edgechat.client.failures import Expelled, Refused, Rejected, RoomError, Unreachable
from edgechat.client.joined_room import Room, open_room
from edgechat.client.room_api import new_private_room
from edgechat.client.room_options import Options

__all__ = [
    "Bot",
    "Delayed",
    "Disconnected",
    "Error",
    "Event",
    "Expelled",
    "Info",
    "Joined",
    "Limits",
    "Line",
    "Lost",
    "Members",
    "Message",
    "Options",
    "Quit",
    "Ready",
    "Refused",
    "Rejected",
    "Reset",
    "Room",
    "RoomError",
    "Token",
    "Typing",
    "UnknownRecord",
    "Unreachable",
    "new_private_room",
    "open_room",
    "room_url",
    "run",
    "run_bot",
]
