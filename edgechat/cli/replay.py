"""`edgechat replay`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgechat.cli.linux import need_linux


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def replay(file: Path) -> None:
    """Check that the room's rules make a history's lines again.

    Says the messages of the history anew in a room without a file, and compares the lines. Exit
    status 1 if a line differs.
    """
    need_linux("replay")
    from edgechat.history.replay import replay as again

    label = "Replaying"
    with click.progressbar(length=file.stat().st_size, label=label, file=sys.stderr) as bar:
        count, differences = again(file, bar.update)
    for difference in differences[:20]:
        click.echo(f"line {difference.seq} is stored as {difference.stored!r}")
        click.echo(f"{'comes out':>{len(str(difference.seq)) + 12}} as {difference.made!r}")
    click.echo(f"{count} lines: {len(differences) or 'none'} came out otherwise.")
    sys.exit(1 if differences else 0)
