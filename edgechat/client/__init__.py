"""The Trio client: be in a room, hear each line once, say things and know that they are stored.

    async with open_room("http://127.0.0.1:8080/room/lobby", "bot") as room:
        async for event in room:
            match event:
                case Message(name=name, message="ping") if name != "bot":
                    line = await room.say("pong")
                    print("stored as", line.seq)

Rules without I/O: `session.py` (and `timeline.py`, `outbox.py`, `comeback.py` …). Tasks and
sockets: `keeper.py`, `connection.py`. `events.py` is the vocabulary, `errors.py` what can fail.
"""

from edgechat.chat.line import Token
from edgechat.client.address import room_url
from edgechat.client.errors import Expelled, Refused, Rejected, RoomError, Unreachable
from edgechat.client.events import (
    Disconnected,
    Error,
    Event,
    Joined,
    Limits,
    Line,
    Lost,
    Members,
    Message,
    Quit,
    Ready,
    Record,
    Reset,
    Typing,
)
from edgechat.client.options import Options
from edgechat.client.private import new_private_room
from edgechat.client.room import Room, open_room

__all__ = [
    "Disconnected",
    "Error",
    "Event",
    "Expelled",
    "Joined",
    "Limits",
    "Line",
    "Lost",
    "Members",
    "Message",
    "Options",
    "Quit",
    "Ready",
    "Record",
    "Refused",
    "Rejected",
    "Reset",
    "Room",
    "RoomError",
    "Token",
    "Typing",
    "Unreachable",
    "new_private_room",
    "open_room",
    "room_url",
]
