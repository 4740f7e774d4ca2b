"""How lines of a room are written to standard output: for a person, or for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click
import msgspec

from edgechat.cli.showing import dim, message_line, note, printable

if TYPE_CHECKING:
    from edgechat.client import Line

_RESETS = {
    "forked": "Another history took the room's place. It begins here.",
    "trimmed": "The server no longer keeps all that was said meanwhile.",
}


class Writer(Protocol):
    """Writes what happens in a room."""

    def line(self, line: Line) -> None:
        """A line of the history."""

    def reset(self, reason: str) -> None:
        """The lines before and those after this do not join."""


class TextWriter:
    """For a person: `2026-01-31 23:59:59 alice: hi`. Notes go to standard error."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def line(self, line: Line) -> None:
        """A message; of anything else only that it is there."""
        from edgechat.client import Lost, Message

        if isinstance(line, Message):
            text = message_line(line.timestamp, line.name, line.message, self._colour)
        elif isinstance(line, Lost):
            text = dim(f"(message {line.seq} is damaged)", self._colour)
        else:
            text = dim(f"(line {line.seq}: {printable(line.kind)})", self._colour)
        click.echo(text, color=True)

    def reset(self, reason: str) -> None:
        """Why they do not join."""
        note(_RESETS.get(reason, f"Some messages may be missing here ({reason})."))


class JsonWriter:
    """For a program: each message as it stands in the room's file, a line each."""

    def line(self, line: Line) -> None:
        """A message in the file's own form; of anything else its `seq` and `kind`."""
        click.echo(as_json(line))

    def reset(self, reason: str) -> None:
        """On standard output: what follows has to be read otherwise."""
        click.echo(msgspec.json.encode({"reset": reason}))


def as_json(line: Line) -> bytes:
    """A line in the one form that the server, too, gives it: `docs/protocol.md`."""
    from edgechat.client import Lost, Message

    if isinstance(line, Message):
        keys: dict[str, object] = {"seq": line.seq, "timestamp": line.timestamp}
        keys |= {"name": line.name, "message": line.message}
        keys |= {} if line.id is None else {"id": line.id}
        return msgspec.json.encode({**keys, "h": line.h})
    if isinstance(line, Lost):
        return msgspec.json.encode({"seq": line.seq, "kind": "lost"})
    return msgspec.json.encode({"seq": line.seq, "kind": line.kind, "h": line.h})
