"""`edgechat grep`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edgechat.cli.data import (
    Stored,
    Unreadable,
    complete_room,
    data_option,
    histories,
    journal_of,
    stored,
)
from edgechat.cli.linux import need_linux
from edgechat.cli.showing import dim, message_line, printable, wants_colour

if TYPE_CHECKING:
    from edgechat.history.journal.view import JournalView

_EXAMPLES = """Examples:

\b
  edgechat grep certificate
  edgechat grep "disk full" ops dev               both words, in either order
  edgechat grep --json error | jq -r .message

Exit status: 0 something is found. 1 nothing is, or a file can't be read: one line says so,
and the others are looked into. 2 an argument is wrong.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("words", metavar="WORD…")
@click.argument("rooms", nargs=-1, metavar="[ROOM]…", shell_complete=complete_room)
@data_option()
@click.option("--json", "as_json", is_flag=True, help="The lines of the files, with a room's name.")
def grep(words: str, rooms: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Find the messages that have all WORDs.

    Looks into all rooms, or those that are named. Several words are one argument with blanks
    between them. Upper and lower case are the same, and a part of a word will do. Reads files
    only, and may run beside a server.
    """
    need_linux("grep")
    wanted = words.casefold().split()
    if not wanted:
        raise click.UsageError("There is no word to look for.")
    colour = wants_colour(sys.stdout)
    count, unreadable = 0, Unreadable()
    files = histories(data, rooms)
    journal = journal_of(data, files[0][0] if len(files) == 1 else None)
    for path, name in files:
        with unreadable.passed_over(only=len(rooms) == 1):
            for found in _matches(path, journal, wanted):
                count += 1
                text = _json(path, found) if as_json else _text(name, found, colour)
                click.echo(text, color=True)
    sys.exit(unreadable.exit_status if count else 1)


def _matches(path: Path, journal: JournalView, wanted: list[str]) -> Iterator[Stored]:
    for found in stored(path, journal):
        if found.record is not None and found.record.kind is None:
            text = found.record.message.casefold()
            if all(word in text for word in wanted):
                yield found


def _text(room: str, found: Stored, colour: bool) -> str:
    record = found.record
    assert record is not None
    where = dim(f"{printable(room)}:{found.seq}:", colour)
    return f"{where} {message_line(record.timestamp, record.name, record.message, colour)}"


def _json(path: Path, found: Stored) -> bytes:
    """The line as it is in the file, with `room` as its first key."""
    assert found.line is not None
    return b'{"room":%b,%b' % (msgspec.json.encode(path.stem), found.line[1:])
