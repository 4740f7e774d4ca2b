"""`edgechat verify`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edgechat.chat.names import PrivateIds
from edgechat.cli.linux import need_linux
from edgechat.settings import Settings

if TYPE_CHECKING:
    from edgechat.history.strays import Found
    from edgechat.history.verify import Report

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

    All rooms, or those named (a public name, or a private id); and names the files that no room
    reads. Changes nothing; a server may be running. Exit status 1 where there is damage, or a
    history that no room reads.
    """
    need_linux("verify")
    files = _files(data, rooms)
    size = sum(_size(found) for found in files)
    start = time.monotonic()
    with click.progressbar(length=size, label="Verifying", file=sys.stderr, hidden=as_json) as bar:
        reports = [_report(found, bar.update) for found in files]
    seconds = time.monotonic() - start
    for report in reports:
        if as_json:
            click.echo(msgspec.json.encode(report))
        elif report.is_damaged or report.stray or report.torn_bytes or report.reframed or rooms:
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


def _report(found: Found, progress: Callable[[int], Any]) -> Report:
    from edgechat.history.verify import Report, verify

    if found.stray:
        return Report(found.name, stray=found.stray)
    return verify(found.path, found.name, found.path.stem, progress)


def _size(found: Found) -> int:
    try:
        return 0 if found.stray else found.path.lstat().st_size
    except OSError:
        return 0


def _files(data: Path, named: tuple[str, ...]) -> list[Found]:
    """What is to be looked at: the histories that are named, or all, and what no room reads."""
    from edgechat.history.data_folder import read_key
    from edgechat.history.strays import find_files, is_history

    key = read_key(data)
    try:
        files = list(find_files(data, PrivateIds(key) if key else None))
    except OSError as error:
        raise click.ClickException(f"{data}: {error.strerror or error}.") from None
    if not named:
        return [found for found in files if found.stray or is_history(found)]
    return [found for text in named for found in _named(files, text, data)]


def _named(files: list[Found], text: str, data: Path) -> list[Found]:
    """A room's history, and what no room reads and looks like it."""
    from edgechat.chat.names import BadRoomName, public_room_name
    from edgechat.history.strays import is_history

    try:
        stem = text.lower() if len(text) == 64 else public_room_name(text)
    except BadRoomName as error:
        raise click.UsageError(f"{text}: {error}.") from None
    found = [
        one for one in files if one.room == stem or (is_history(one) and one.path.stem == stem)
    ]
    if not found:
        raise click.UsageError(f"There is no history of {text} in {data}.")
    return found
