"""`edgechat backup`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgechat.cli.data import data_option, journal_of, size_of
from edgechat.cli.linux import need_linux
from edgechat.cli.output import Stdout
from edgechat.cli.rooms import size_words
from edgechat.cli.showing import note

if TYPE_CHECKING:
    from edgechat.cli.copying import Copier

_EXAMPLES = """Examples:

\b
  edgechat backup /backup/chat-$(date +%F) --data /srv/chat
  edgechat backup - --data /srv/chat | ssh host 'mkdir chat && tar x -C chat'
  edgechat verify --data /backup/chat-2026-01-31
  edgechat serve --data /backup/chat-2026-01-31          to try it

Exit status: 0 the copy is whole and on the disk. 1 there is none, and one line says why. 2 an
argument is wrong.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("target", metavar="DIR|-")
@data_option()
def backup(target: str, data: Path) -> None:
    """Copy a data folder into DIR, or as a tar to standard output.

    May run beside the server: each history is copied up to its last whole line, with what only
    the journal has behind it. The copy has the server's key too, which opens every private room:
    keep it where others can't read it. DIR must not be there yet, or be empty; it appears when the
    copy is whole.
    """
    need_linux("backup")
    from edgechat.cli.copying import Folder, Tar  # `tarfile` takes 20 ms, and a server needs none

    if target == "-" and sys.stdout.isatty():
        raise click.UsageError("A terminal can't show a tar: write it to a file or a pipe.")
    folder = Path(target).absolute()
    if target != "-" and (folder.is_symlink() or folder.exists()) and not _is_empty(folder):
        raise click.UsageError(f"{target} is there already, and is not an empty folder.")
    if target != "-" and folder.is_mount():
        raise click.UsageError(f"{target} is a whole file system: name a folder in it.")
    if not (data / "rooms").is_dir():
        raise click.UsageError(f"{data} has no rooms in it: is it the data folder of a server?")
    try:
        if target == "-":
            _copy(data, Tar(Stdout()))
        else:
            with Folder(folder) as copier:
                _copy(data, copier)
    except BrokenPipeError:
        raise click.ClickException("The other end of the pipe is closed: no backup.") from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise click.ClickException(f"No backup: {error.strerror}{where}.") from None


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())


def _copy(data: Path, copier: Copier) -> None:
    journal = journal_of(data)
    found = list(_copies(data))
    size = size_of(found)
    rooms = total = 0
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=size, label="Copying", file=sys.stderr, hidden=hidden) as bar:
        for path, name in found:
            copied = copier.add(path, name, journal, bar.update)
            if copied is not None and name.startswith("rooms/"):
                rooms += 1
                total += copied
    copier.finish()
    key = "the key of private rooms, which is a secret" if (data / "key").exists() else "no key"
    note(f"{rooms} room{'s' * (rooms != 1)}, {size_words(total)}, and {key}.")


def _copies(data: Path) -> Iterator[tuple[Path, str]]:
    """What belongs into a copy, and its name there: the key, then every history.

    The positions of webhooks come first: one that is older than its history repeats lines under
    their ids, one that is newer would be in a history that does not have its line.
    """
    if (data / "key").exists():
        yield data / "key", "key"
    for path in sorted((data / "webhooks").glob("*")):
        if path.suffix in ("", ".json"):
            yield path, f"webhooks/{path.name}"
    for kind in ("public", "private"):
        for path in sorted((data / "rooms" / kind).glob("*.jsonl")):
            yield path, f"rooms/{kind}/{path.name}"
