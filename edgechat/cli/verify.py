"""`edgechat verify`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edgechat.cli.data import complete_room, data_option, find_histories, journal_of
from edgechat.cli.linux import need_linux

if TYPE_CHECKING:
    from edgechat.history.journal.view import JournalView
    from edgechat.history.strays import Found
    from edgechat.history.verify import Report


@click.command()
@click.argument("rooms", nargs=-1, metavar="[ROOM]…", shell_complete=complete_room)
@data_option()
@click.option("--json", "as_json", is_flag=True, help="Report in JSON: one object a room.")
def verify(rooms: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Check that no line of a history is changed or missing.

    All rooms, or those named (a public name, or a private id); and names the files that no room
    reads. Lines that only the journal has are counted. Changes nothing; a server may be running.
    Exit status 1 where there is damage, or a history that no room reads.
    """
    need_linux("verify")
    journal = journal_of(data)
    files = find_histories(data, rooms)
    size = sum(_size(found) for found in files)
    start = time.monotonic()
    with click.progressbar(length=size, label="Verifying", file=sys.stderr, hidden=as_json) as bar:
        reports = [_report(found, journal, bar.update) for found in files]
    seconds = time.monotonic() - start
    for report in reports:
        if as_json:
            click.echo(msgspec.json.encode(report))
        elif report.is_damaged or report.stray or report.notes or rooms:
            click.echo(str(report))
    if not as_json:
        click.echo(_summary(reports, size, max(seconds, 1e-6)))
    bad = any(report.is_damaged for report in reports)
    sys.exit(
        1 if bad or any(found.stray and found.path.suffix == ".jsonl" for found in files) else 0
    )


def _summary(reports: list[Report], size: int, seconds: float) -> str:
    damaged = sum(report.is_damaged for report in reports)
    strays = sum(bool(report.stray) for report in reports)
    lines = sum(report.lines for report in reports)
    unread = f", and {strays} files that no room reads" if strays else ""
    rate = size / 1e6 / seconds
    return (
        f"{len(reports) - strays} rooms, {lines} lines, {size / 1e6:.1f} MB "
        f"in {seconds:.1f} s ({rate:.0f} MB/s): {damaged or 'none'} damaged{unread}."
    )


def _report(found: Found, journal: JournalView, progress: Callable[[int], Any]) -> Report:
    from edgechat.history.verify import Report, verify

    if found.stray:
        return Report(found.name, stray=found.stray)
    return verify(found.path, found.name, found.path.stem, progress, journal)


def _size(found: Found) -> int:
    try:
        return 0 if found.stray else found.path.lstat().st_size
    except OSError:
        return 0
