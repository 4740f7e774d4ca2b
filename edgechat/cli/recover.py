"""`edgechat recover`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from edgechat.cli.linux import need_linux
from edgechat.settings import Settings

_DATA = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Settings().data,
    show_default=True,
    envvar="EDGECHAT_DATA",
    show_envvar=True,
    help="The data folder.",
)


_EXAMPLES = """Examples:

\b
  edgechat recover --data /srv/chat                      after a power loss, instead of a start
  edgechat recover --data /srv/chat && edgechat export lobby --data /srv/chat -o lobby.txt

Exit status: 0 if nothing is left in the journal, 1 if a history could not be recovered.
"""


@click.command(epilog=_EXAMPLES)
@_DATA
def recover(data: Path) -> None:
    """Put back what the journal of a server that was killed still has.

    A start does the same: this is for reading or copying the histories without one. Not beside a
    server.
    """
    need_linux("recover")
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    from edgechat.history.data_folder import DataFolder, DataFolderError
    from edgechat.history.journal import Journal

    folder = DataFolder(data)
    try:
        folder.prepare()
        journal = Journal(folder, Settings(data=data))
        journal.start()
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
