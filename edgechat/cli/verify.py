"""`edgechat verify`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import msgspec

from edgechat.cli.data import complete_room, data_option, histories
from edgechat.cli.linux import need_linux


@click.command()
@click.argument("rooms", nargs=-1, metavar="[ROOM]…", shell_complete=complete_room)
@data_option()
@click.option("--json", "as_json", is_flag=True, help="Report in JSON: one object a room.")
def verify(rooms: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Check that no line of a history is changed or missing.

    Checks all rooms, or those that are named (by a public name or a private id). Changes nothing,
    and may run beside a server. Exit status 1 if there is damage.
    """
    need_linux("verify")
    from edgechat.history.verify import Report
    from edgechat.history.verify import verify as check

    files = histories(data, rooms)
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
