"""`edgechat export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgechat.cli.data import (
    Stored,
    complete_room,
    data_option,
    histories,
    journal_of,
    size_of,
    stored,
)
from edgechat.cli.linux import need_linux
from edgechat.cli.output import whole_file

if TYPE_CHECKING:
    from edgechat.cli.formats import Format

_FORMATS = ("jsonl", "txt", "md", "csv", "html")

_EXAMPLES = """Examples:

\b
  edgechat export lobby -o lobby.html             one page: no script, nothing fetched
  edgechat export lobby --format csv | head
  edgechat export lobby --format md -o - --data /srv/chat

A damaged line is named where it stood. Times are in UTC. In csv, a text that a spreadsheet would
take for a formula has a ' before it; jsonl has every message byte for byte.

Exit status: 0 it is written. 1 it can't be, one line says why, and FILE is as it was. 2 an
argument is wrong.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("room", shell_complete=complete_room)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="What to write.  [default: by the end of FILE's name, else txt]",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="-",
    type=click.Path(dir_okay=False),
    help="Where to. - is standard output, and the default. A FILE that is there is replaced.",
)
@data_option()
def export(room: str, kind: str | None, output: str, data: Path) -> None:
    """Write a room's history as a text, a table or a page.

    ROOM is a public name or a private id. Reads files only, and may run beside a server.
    """
    need_linux("export")
    from edgechat.cli.formats import FORMATS

    files = histories(data, (room,))
    path, name = files[0]
    chosen = FORMATS[kind or _by_ending(output)]()
    is_shown = sys.stderr.isatty() and not (output == "-" and sys.stdout.isatty())
    with (
        whole_file(output) as write,
        click.progressbar(
            length=size_of(files), label="Exporting", file=sys.stderr, hidden=not is_shown
        ) as bar,
    ):
        for text in _pieces(chosen, stored(path, journal_of(data, path), bar.update), name):
            write(text.encode(errors="replace"))


def _by_ending(output: str) -> str:
    ending = Path(output).suffix.removeprefix(".").lower()
    return ending if ending in _FORMATS else "txt"


def _pieces(chosen: Format, lines: Iterator[Stored], name: str) -> Iterator[str]:
    from edgechat.cli.formats import Jsonl

    yield chosen.begin(name)
    for seq, line, record in lines:
        if record is None or line is None:
            yield chosen.lost(seq)
        elif record.kind is None or isinstance(chosen, Jsonl):
            yield chosen.message(record, line)
    yield chosen.end()
