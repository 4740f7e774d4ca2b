"""Files in a data folder that no room reads: they look like histories, and nobody is shown them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edgechat import system
from edgechat.chat.names import BadRoomName, PrivateIds, public_room_name

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[a-z0-9-]{1,32}\.jsonl")
_KEPT = re.compile(r"\.jsonl\.(?:torn|forked)-[0-9]+\Z")  # what was cut off, and kept
_ASIDE = re.compile(r"\.[0-9]+-[0-9a-f]{16}(?:-[0-9]+)?\.aside\Z")  # what it put aside
_PUT_ASIDE = "lines that the journal had, and that did not go on from the room's history"
_OUR_OWN = {"journal", "key", "key.new", "lock", "rooms", "public", "private"}
_NAMED = 5  # of them in a log


class Found(NamedTuple):
    """A file in a folder of histories. `name` is what to call it: never a private room's id."""

    path: Path
    name: str
    stray: str  # why no room reads it; empty where one does
    room: str = ""  # the public room that it is of, or would be under another spelling


def find_files(data: Path, ids: PrivateIds | None, *, only_strays: bool = False) -> Iterator[Found]:
    """All histories of a data folder, and all else in it. `ids` is None where the key is unknown.

    Raises `OSError`.
    """
    rooms = data / "rooms"
    for name in _names(rooms / "public"):
        if not (only_strays and _PLAIN.fullmatch(name)):  # most are plain: 10,000 cost 10 ms
            yield _public(rooms / "public", name)
    for name in _names(rooms / "private"):
        yield _private(rooms / "private", name, ids)
    for folder in (rooms, data):
        for name in _names(folder):
            if name not in _OUR_OWN and ".jsonl" in name:
                yield Found(folder / name, _shown(name), "it is in the wrong folder")


def warn_of_strays(data: Path, ids: PrivateIds) -> None:
    """Say in the log which files no room reads. Never raises."""
    try:
        found = list(find_files(data, ids, only_strays=True))
    except OSError as error:
        log.warning("The data folder can't be looked through: %s", error.strerror or error)
        return
    if strays := [one for one in found if one.stray]:
        named = ", ".join(f"{one.name} ({one.stray})" for one in strays[:_NAMED])
        more = f", and {len(strays) - _NAMED} more" if len(strays) > _NAMED else ""
        log.warning("No room reads these files: %s%s. See `edgechat verify`.", named, more)


def _public(folder: Path, name: str) -> Found:
    stem = name.removesuffix(".jsonl")
    try:
        room = public_room_name(stem)
    except BadRoomName:
        room = ""
    if stem == name or not room:
        return Found(folder / name, _shown(name), _reason(name, "it is no room's name"))
    if room != stem:
        reason = f"another spelling of {room}.jsonl, which that room reads"
        return Found(folder / name, _shown(name), reason, room)
    return Found(folder / name, room, "", room)


def _private(folder: Path, name: str, ids: PrivateIds | None) -> Found:
    stem = name.removesuffix(".jsonl")
    shown = f"private {_shown(name[:8])}…"
    if stem == name or not _ID.fullmatch(stem):
        reason = _reason(name, "it is no private room's name")
    elif ids is not None and not ids.are_ours(stem):
        reason = "its id is of another key"
    else:
        reason = ""
    return Found(
        folder / name, ascii(shown)[1:-1] if not shown[:-1].isprintable() else shown, reason
    )


def is_history(found: Found) -> bool:
    """Whether a room reads it."""
    return not found.stray and found.path.name.endswith(".jsonl")


def _reason(name: str, other: str) -> str:
    """Why no room reads a file that is not named as a history; nothing of what was kept."""
    if _KEPT.search(name):
        return ""
    return _PUT_ASIDE if _ASIDE.search(name) else other


def _shown(name: str) -> str:
    """A name for a log: what can't be seen, or told from another, is escaped; no id is whole."""
    name = re.sub(r"[0-9A-Fa-f]{60,}", lambda id: f"{id[0][:8]}…", name)
    return name if name.isascii() and name.isprintable() else ascii(name)


def _names(folder: Path) -> list[str]:
    try:
        with system.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return []
