"""`edgechat rooms`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edgechat.cli.data import (
    Unreadable,
    complete_room,
    data_option,
    histories,
    journal_of,
    open_history,
)
from edgechat.cli.linux import need_linux
from edgechat.cli.showing import local_time
from edgechat.cli.talking import address_of, options_of, run, url_option
from edgechat.settings import Settings

if TYPE_CHECKING:
    from edgechat.client import Info
    from edgechat.history.journal.view import JournalView

_LINES = 100  # at the end of a file, in which a timestamp is looked for
_TAIL = 64 * 1024  # bytes at the end of a history in which its last line is looked for
_WAIT = 5.0  # seconds for a server that is away

_EXAMPLES = """Examples:

\b
  edgechat rooms --data /srv/chat                     all that have a history
  edgechat rooms --url https://chat.example.org ops   how many are in it
  edgechat rooms --json | jq -r 'select(.messages > 1000).room'

With --json `last` is the time of the last message, in ms of Unix time, and a private room's `room`
is its id, with which anyone can enter it.

Exit status: 0 the rooms are listed. 1 a file can't be read (it is named, and the others are
listed), or the server is away. 2 an argument
is wrong.
"""


class Row(msgspec.Struct, omit_defaults=True):
    """A room as it is listed. What is not known is left out."""

    room: str
    private: bool = False
    members: int | None = None
    messages: int | None = None
    bytes: int | None = None
    last: int | None = None

    @property
    def label(self) -> str:
        """What to call it where others may look on."""
        return f"private {self.room[:8]}…" if self.private else self.room


@click.command(epilog=_EXAMPLES)
@click.argument("rooms", nargs=-1, metavar="[ROOM]…", shell_complete=complete_room)
@data_option(None, "The data folder.  [default: data, without --url]")
@url_option(None)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a room.")
def rooms(rooms: tuple[str, ...], data: Path | None, url: str | None, as_json: bool) -> None:
    """List rooms: members, messages, size, last activity.

    With --data the rooms that have a history there, the last active first; with --url also how
    many are in each. A server does not list its rooms: with --url alone, name them.
    """
    if data is None and url is None:
        data = Settings().data
        if not data.is_dir():
            raise click.UsageError(f"There is no folder {data}: give --data or --url.")
    if data is None and not rooms:
        raise click.UsageError("A server does not list its rooms: name them, or give --data.")
    unreadable = Unreadable()
    rows = [Row(room, private=len(room) == 64) for room in rooms] if data is None else []
    if data is not None:
        need_linux("rooms")
        files = histories(data, rooms)
        journal = journal_of(data, files[0][0] if len(files) == 1 else None)
        for path, _ in files:
            with unreadable.passed_over(only=len(rooms) == 1):
                rows.append(described(path, journal))
        rows.sort(key=lambda row: -(row.last or 0))
    if url is None:
        _show(rows, as_json)
    else:
        addresses = [address_of(url, row.room) for row in rows]
        run(partial(_ask, addresses, rows, as_json))
    sys.exit(unreadable.exit_status)


def described(path: Path, journal: JournalView) -> Row:
    """What a history's file, and the journal, say of its room."""
    from edgechat.chat.line import Damaged, parse_line
    from edgechat.history.journal.view import key_of
    from edgechat.history.reader import read_tail
    from edgechat.history.repair import open_file

    row = Row(path.stem, private=path.parent.name == "private")
    fd = open_history(path)
    try:
        row.bytes = os.fstat(fd).st_size
        file = open_file(fd)
        reader, entries = read_tail(file, _LINES, _TAIL)
        new = [place.line for place in journal.after(key_of(path), reader.seq, reader.h)]
        row.messages = reader.seq - (file.base.seq if file.base else 0) + len(new)
        for line in reversed([*(entry.line for entry in entries), *new]):
            try:
                row.last = parse_line(line or b"").timestamp
                break
            except Damaged:
                continue
    finally:
        os.close(fd)
    return row


async def _ask(addresses: list[str], rows: list[Row], as_json: bool) -> int:
    from edgechat.client.room_api import room_info

    for address, row in zip(addresses, rows, strict=True):
        info: Info = await room_info(address, options=options_of(_WAIT))
        row.members = info.members
        row.messages = info.seq if row.messages is None else row.messages
    _show(rows, as_json)
    return 0


def _show(rows: list[Row], as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row))
        return
    cells = [("room", "members", "messages", "size", "last activity"), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    used = [at for at in range(len(widths)) if not rows or any(row[at] for row in cells[1:])]
    for line in cells:
        texts = [
            f"{line[at]:<{widths[at]}}" if at in (0, 4) else f"{line[at]:>{widths[at]}}"
            for at in used
        ]
        click.echo("  ".join(texts).rstrip())


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return (
        row.label,
        "" if row.members is None else str(row.members),
        "" if row.messages is None else f"{row.messages:,}",
        "" if row.bytes is None else size_words(row.bytes),
        "" if row.last is None else local_time(row.last),
    )


def size_words(size: float) -> str:
    """Bytes, for a person."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1_000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.1f} TB"
