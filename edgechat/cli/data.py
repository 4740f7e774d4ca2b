"""What the commands that read files share: the data folder, and the histories in it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from edgechat.cli.showing import note
from edgechat.settings import Settings

if TYPE_CHECKING:  # a start should be quick, and on another system this can't be imported
    from edgechat.chat.line import Record
    from edgechat.history.journal.view import JournalView
    from edgechat.history.strays import Found

_DATA = Settings().data
_ID = re.compile("[0-9a-f]{64}")


def data_option(default: Path | None = _DATA, text: str = "") -> Callable[[Any], Any]:
    """`--data`: a folder that is there. Without a default it may be left out."""
    return click.option(
        "--data",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=default,
        show_default=default is not None,
        envvar="EDGECHAT_DATA",
        show_envvar=True,
        help=text or "The data folder.",
    )


def complete_room(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """For the shell: the public rooms that have a history here."""
    data = ctx.params.get("data") or os.environ.get("EDGECHAT_DATA") or _DATA
    names = sorted(path.stem for path in (Path(data) / "rooms" / "public").glob("*.jsonl"))
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def histories(data: Path, named: tuple[str, ...]) -> list[tuple[Path, str]]:
    """The histories of the rooms that are named, or all; and what to call each.

    Raises `click.UsageError` for a room that has none.
    """
    return [(found.path, found.name) for found in find_histories(data, named) if not found.stray]


def find_histories(data: Path, named: tuple[str, ...]) -> list[Found]:
    """What is to be looked at: the histories that are named, or all, and what no room reads."""
    from edgechat.chat.names import PrivateIds
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


def journal_of(data: Path, only: Path | None = None) -> JournalView:
    """What the journal has now and the files may lack: to be asked for before they are read.

    `only`: the one history that will be read. Raises `click.ClickException`.
    """
    from edgechat.history.journal.view import JournalView, key_of

    try:
        return JournalView(data, key_of(only) if only is not None else None)
    except OSError as error:
        raise click.ClickException(f"{data / 'journal'}: {error.strerror or error}.") from None


class Stored(NamedTuple):
    """A line of a history. `line` and `record` are None where it is damaged."""

    seq: int
    line: bytes | None
    record: Record | None


def stored(
    path: Path, journal: JournalView, progress: Callable[[int], Any] = lambda _: None
) -> Iterator[Stored]:
    """All lines of a history, as far as it is whole, and those that are in the journal only.

    `progress` is told the bytes of each.

    Raises `click.ClickException` for a file that can't be read.
    """
    from edgechat.history.chain_reader import ChainReader
    from edgechat.history.journal.view import key_of
    from edgechat.history.reader import all_entries
    from edgechat.history.repair import open_file

    fd = open_history(path)
    try:
        file = open_file(fd)
        seq, h = file.base or (0, None)
        reader = ChainReader(seq, bytes.fromhex(h) if h else None)
        for entry in all_entries(file, reader):
            progress(len(entry.line or b"") + 1)
            yield _stored(entry.seq, entry.line)
        for place in journal.after(key_of(path), reader.seq, reader.h):
            yield _stored(place.seq, place.line)
    finally:
        os.close(fd)


def _stored(seq: int, line: bytes | None) -> Stored:
    from edgechat.chat.line import Damaged, parse_line

    record = None
    if line is not None:
        with suppress(Damaged):  # good by its hash, and yet of a later form
            record = parse_line(line)
    return Stored(seq, line, record)


def open_history(path: Path) -> int:
    """A file descriptor to read from. Raises `click.ClickException`."""
    from edgechat.history.regular_file import open_regular

    try:
        return open_regular(path)
    except OSError as error:
        raise click.ClickException(f"{shown(path)} can't be read: {error.strerror}.") from None


def shown(path: Path) -> str:
    """A history's path for a person: of a private room's id only the beginning."""
    return _ID.sub(lambda id: f"{id[0][:8]}…", str(path))


class Unreadable:
    """Names the files of many that can't be read, and goes on with the others."""

    def __init__(self) -> None:
        self.exit_status = 0

    @contextmanager
    def passed_over(self, *, only: bool) -> Iterator[None]:
        """Reading one file. Where it is the `only` one, it is an error like any other."""
        try:
            yield
        except click.ClickException as error:
            if only:
                raise
            note(f"Passed over: {error.format_message()}")
            self.exit_status = 1


def size_of(files: list[tuple[Path, str]]) -> int:
    """Bytes of all of them; one that is gone meanwhile has none."""
    total = 0
    for path, _ in files:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
