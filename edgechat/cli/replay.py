"""`edgechat replay`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgechat.cli.linux import need_linux

_SHOWN = 20  # runs of lost lines


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def replay(file: Path) -> None:
    """Check that the room's rules make a history's lines again.

    Exit status 1 where a line comes out otherwise, is damaged or missing, or where FILE is not a
    history.
    """
    need_linux("replay")
    from edgechat.history.replay import NotAHistory
    from edgechat.history.replay import replay as again

    label = "Replaying"
    try:
        with click.progressbar(length=file.stat().st_size, label=label, file=sys.stderr) as bar:
            done = again(file, bar.update)
    except NotAHistory as error:
        raise click.ClickException(f"{file} is not a history: {error}.") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}.") from None
    for seq, stored, made in done.differences:
        click.echo(f"line {seq} is stored as {_text(stored)}")
        click.echo(f"{'comes out':>{len(str(seq)) + 12}} as {_text(made) or '(it is refused)'}")
    for first, last in done.runs[:_SHOWN]:
        click.echo(
            f"line {first} is" if first == last else f"lines {first} to {last} are", nl=False
        )
        click.echo(" damaged or missing")
    lost = f" {done.lost} are damaged or missing." if done.lost else ""
    kinds = f" {done.kinds} of later kinds were passed over." if done.kinds else ""
    click.echo(f"{done.lines} lines: {done.differ or 'none'} came out otherwise.{lost}{kinds}")
    sys.exit(0 if done.is_as_stored else 1)


def _text(line: bytes) -> str:
    """For a terminal: nothing in it turns the text or moves the cursor."""
    text = line.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
