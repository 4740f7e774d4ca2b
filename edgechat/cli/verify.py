"""`edgechat verify`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import msgspec

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


@click.command()
@click.argument("rooms", nargs=-1, metavar="[ROOM]…")
@_DATA
@click.option("--json", "as_json", is_flag=True, help="Report in JSON: one object a room.")
def verify(rooms: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Check that no line of a history is changed or missing.

    Checks all rooms, or those that are named (by a public name or a private id). Changes nothing,
    and may run beside a server. Exit status 1 if there is damage.
    """
    need_linux("verify")
    from edgechat.history.verify import Report
    from edgechat.history.verify import verify as check

    if any((data / "journal").glob("*.log")):
        click.echo(
            "There is a journal: a server runs, or was killed. Lines that a power loss took out of "
            "the files are put back by its start, or by `edgechat recover`.",
            err=True,
        )
    files = _files(data, rooms)
    size = sum(path.stat().st_size for path, _ in files)
    reports: list[Report] = []
    start = time.monotonic()
    with click.progressbar(length=size, label="Verifying", file=sys.stderr, hidden=as_json) as bar:
        for path, name in files:
            reports.append(check(path, name, bar.update))
    seconds = time.monotonic() - start
    for report in reports:
        if as_json:
            click.echo(msgspec.json.encode(report))
        elif report.is_damaged or report.torn_bytes or rooms:
            click.echo(str(report))
    damaged = sum(report.is_damaged for report in reports)
    if not as_json:
        lines = sum(report.lines for report in reports)
        rate = size / 1e6 / max(seconds, 1e-6)
        click.echo(
            f"{len(reports)} rooms, {lines} lines, {size / 1e6:.1f} MB "
            f"in {seconds:.1f} s ({rate:.0f} MB/s): {damaged or 'none'} damaged."
        )
    sys.exit(1 if damaged else 0)


def _files(data: Path, named: tuple[str, ...]) -> list[tuple[Path, str]]:
    from edgechat.chat.names import BadRoomName, public_room_name
    from edgechat.history.verify import rooms

    files = list(rooms(data))
    if not named:
        return files
    chosen: list[tuple[Path, str]] = []
    for text in named:
        try:
            stem = text.lower() if len(text) == 64 else public_room_name(text)
        except BadRoomName as error:
            raise click.UsageError(f"{text}: {error}.") from None
        found = [(path, name) for path, name in files if path.stem == stem]
        if not found:
            raise click.UsageError(f"There is no history of {text} in {data}.")
        chosen += found
    return chosen
