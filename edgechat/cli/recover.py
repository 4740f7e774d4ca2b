"""`edgechat recover`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from edgechat.cli.data import data_option
from edgechat.cli.linux import need_linux
from edgechat.settings import Settings

_EXAMPLES = """Examples:

\b
  edgechat recover --data /srv/chat
  edgechat recover --data /srv/chat && edgechat verify --data /srv/chat

Exit status: 0 the histories have all that the journal had for them, and it is empty. 1 a history
could not be recovered, or another server uses the folder: one line says so. 2 an argument is wrong.
"""


@click.command(epilog=_EXAMPLES)
@data_option()
def recover(data: Path) -> None:
    """Put back lines that only the journal still has.

    After a server was killed, or the power was lost, its next start does the same: this is for
    reading or copying the histories without a start. What does not continue a history, as that was
    replaced or removed, is put aside beside it. Not for use beside a running server.
    """
    need_linux("recover")
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    from edgechat.history.data_folder import DataFolder, DataFolderError
    from edgechat.history.journal.journal import Journal
    from edgechat.history.journal.start import recover as recover_all

    folder = DataFolder(data)
    try:
        folder.prepare()
        journal = Journal(folder, Settings(data=data))
        recover_all(journal)
    except (DataFolderError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    finally:
        folder.release()
    counts = journal.statistics()
    click.echo(f"{counts.recovered_lines} lines were put back, {counts.aside_lines} put aside.")
    if counts.segments:
        click.echo("The journal is still needed: a history could not be recovered.", err=True)
        sys.exit(1)
