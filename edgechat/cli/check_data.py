"""A data folder, looked at: who may do what with it, and what no room will read."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgechat.cli.finding import Finding, error, ok, warning

_KEY_BYTES = 32
_ID = re.compile("[0-9a-f]{64}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NAMED = 5  # files named in one finding


def check_data(data: Path) -> Iterator[Finding]:
    """All that can be said of the folder without reading its histories."""
    if not (data / "rooms").is_dir():
        words = "Give the folder that the server's --data names; a first start makes it."
        yield warning(f"{data} has no rooms in it.", words)
        return
    try:
        yield from _check_access(data)
        yield from _check_secrets(data)
        yield from _check_names(data)
        yield from _check_journal(data)
    except OSError as problem:
        words = "Run this as the user that the server runs as."
        yield error(f"{problem.filename} can't be read: {problem.strerror}.", words)


def _check_access(data: Path) -> Iterator[Finding]:
    kept = [*(data / "rooms").rglob("*"), *data.glob("journal"), *(data / "journal").glob("*")]
    files = [data, *data.glob("key"), *kept, *data.glob("webhooks/*")]
    owner = data.stat().st_uid
    foreign = [path for path in files if path.lstat().st_uid != owner]
    shut = [path for path in files if not os.access(path, os.R_OK | os.W_OK)]
    where = shlex.quote(str(data))
    if foreign:
        words = f"chown -R {owner} {where}, if that is the user that the server runs as."
        yield error(f"Not all belongs to the owner of {data}: {_some(foreign)}.", words)
    if shut:
        words = "Run this as the user that the server runs as; if you did, chown and chmod them."
        yield error(f"Can't be written: {_some(shut)}.", words)
    if not foreign and not shut:
        yield ok(f"{data} can be read and written.")


def _check_journal(data: Path) -> Iterator[Finding]:
    from edgechat.cli.check_machine import server_of
    from edgechat.history.journal.view import size_of_journal

    size = size_of_journal(data)
    if size and server_of(data) is None:
        words = "A start puts back what the histories lack of it; so does `edgechat recover`."
        yield warning(f"There is a journal of {size:,} bytes, and no server runs.", words)
    elif size:
        yield ok(f"The journal has {size:,} bytes.")


def _check_secrets(data: Path) -> Iterator[Finding]:
    key = data / "key"
    if not key.exists():
        words = "If there was one, restore it: without it every private link is dead."
        yield warning(f"There is no {key}: a start makes a new one.", words)
    elif key.stat().st_size != _KEY_BYTES:
        words = "Restore it from a backup; the server does not start with this one."
        yield error(f"{key} is not a key of {_KEY_BYTES} bytes.", words)
    elif key.stat().st_mode & _OTHERS:
        yield error(f"Others may read {key}.", f"chmod 600 {shlex.quote(str(key))}")
    else:
        yield ok(f"{key} is readable by its owner only.")
    for secret in data.glob("webhooks/*"):
        if secret.stat().st_mode & _OTHERS:
            yield error(f"Others may read {secret}.", f"chmod 600 {shlex.quote(str(secret))}")
    private = data / "rooms" / "private"
    way = [data, data / "rooms", private]
    if private.exists() and all(path.stat().st_mode & _OTHERS for path in way):
        words = f"chmod 700 {shlex.quote(str(data))}"
        yield warning(f"Others may list {private}: the names in it open the rooms.", words)


def _check_names(data: Path) -> Iterator[Finding]:
    unread = [*_unread_public(data / "rooms" / "public"), *_unread_private(data)]
    if unread:
        words = "Rename a public one to the name that the room has in its address, and .jsonl; "
        words += "a private one opens with the key that it was made with only. Links are not "
        words += "followed."
        yield warning(f"Read by no room: {_some(unread)}.", words)
    else:
        yield ok("Every file in it belongs to a room.")


def _unread_public(folder: Path) -> Iterator[Path]:
    from edgechat.chat.names import BadRoomName, public_room_name

    for path in _files(folder):
        try:
            is_name = path.suffix == ".jsonl" and public_room_name(path.stem) == path.stem
            if is_name and _is_file(path):
                continue
        except BadRoomName:
            pass
        yield path


def _unread_private(data: Path) -> Iterator[Path]:
    from edgechat.chat.names import PrivateIds

    key = data / "key"
    ids = PrivateIds(key.read_bytes()) if key.exists() else None
    for path in _files(data / "rooms" / "private"):
        is_id = path.suffix == ".jsonl" and _ID.fullmatch(path.stem) is not None
        if not is_id or ids is None or not ids.are_ours(path.stem) or not _is_file(path):
            yield path


def _is_file(path: Path) -> bool:
    """Whether it is no link, folder, pipe, …: rooms read files only."""
    return stat.S_ISREG(path.lstat().st_mode)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _some(paths: list[Path]) -> str:
    """Their names; of private rooms only the beginning, as the rest is the secret."""
    names = [_ID.sub(lambda id: f"{id[0][:8]}…", str(path)) for path in paths[:_NAMED]]
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(names) + more
