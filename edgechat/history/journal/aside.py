"""Keeps lines of the journal that belong nowhere any more. Synchronous: for a worker thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from edgechat import system
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import sync_folder
from edgechat.history.journal.contents import JournalLine

log = logging.getLogger(__name__)

_MAKE = system.O_RDWR | system.O_CREAT | system.O_CLOEXEC | system.O_NOFOLLOW


def put_aside(path: Path, key: RoomKey, places: Sequence[JournalLine]) -> int:
    """Keep lines that do not continue the history at `path`, in a file beside it.

    The same ones come into the same file, and no file that has others is written over. Returns how
    many lines. Raises `OSError`.
    """
    if not places:
        return 0
    places = sorted(places)
    name = f"{path.stem}.{places[0].seq}-{places[0].h.hex()}"
    data = b"".join([place.line + b"\n" for place in places])
    number, aside = 1, path.with_name(f"{name}.aside")
    while not _keep(aside, data):
        number += 1
        aside = path.with_name(f"{name}-{number}.aside")
    sync_folder(path.parent)
    shown = "beside it" if key.private else aside.name
    log.error(
        "%d lines of the journal do not continue the history of %s, as that was replaced or "
        "removed: they were put aside (%s).", len(places), key, shown,
    )  # fmt: skip
    return len(places)


def _keep(aside: Path, data: bytes) -> bool:
    """Write them, as far as they are not there; False where the file has others."""
    fd = system.open(aside, _MAKE, 0o600)
    try:
        found = system.pread(fd, len(data), 0)
        if not data.startswith(found):
            return False
        rest = data[len(found) :]  # a crash may have cut it short
        if rest and system.pwrite(fd, rest, len(found)) < len(rest):
            raise OSError("the disk took only a part of it")
        system.fsync(fd)
    finally:
        system.close(fd)
    return True
