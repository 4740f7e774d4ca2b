"""What happens in a room, in words for the people who are in it."""

from __future__ import annotations

from edgechat import client
from edgechat.cli.showing import dim, message_line, printable
from edgechat.client import Event


def words_of(event: Event, colour: bool) -> str:
    """A message as it is shown everywhere, anything else dim; empty where there is nothing to say.

    It can be printed as it is.
    """
    if isinstance(event, client.Message):
        return message_line(event.timestamp, event.name, event.message, colour)
    words = _words(event)
    return dim(printable(words), colour) if words else ""


def _words(event: Event) -> str:
    match event:
        case client.Lost(seq=seq):
            return f"Message {seq} is damaged."
        case client.Joined(name=name):
            return f"{name} joined."
        case client.Quit(name=name):
            return f"{name} left."
        case client.Delayed(text=text, retry_in=seconds):
            return f"{text} (sent again in {seconds:.0f} s)"
        case client.Disconnected(text=text):
            return f"The server is away ({text}). What you send waits."
        case client.Reset(reason="forked"):
            return "Another history took the room's place."
        case client.Reset(reason=reason):
            return f"Some messages may be missing here ({reason})."
        case client.Ready(room=room, members=members):
            return f"{members} here, in {_short(room)}. /help helps."
        case client.Error(text=text):
            return text
    return ""


def _short(room: str) -> str:
    """A private room's id opens it: it need not stand on a screen."""
    return f"the private room {room[:8]}…" if len(room) == 64 else room
