"""Keeps lines of the journal that belong nowhere any more. Synchronous: for a worker thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from edgechat import system
from edgechat.chat.line import claimed
from edgechat.chat.names import RoomKey
from edgechat.history.data_folder import sync_folder
from edgechat.history.records import START

log = logging.getLogger(__name__)

_FLAGS = system.O_WRONLY | system.O_CREAT | system.O_TRUNC | system.O_CLOEXEC | system.O_NOFOLLOW


def put_aside(path: Path, key: RoomKey, lines: Sequence[bytes]) -> None:
    """Keep lines that do not continue the history at `path`, in a file beside it.

    The same ones come into the same file. Raises `OSError`.
    """
    if not lines:
        return
    seq, h = START.match(lines[0]), claimed(lines[0])
    assert seq is not None
    assert h is not None
    aside = path.with_name(f"{path.stem}.{int(seq[1])}-{h.hex()}.aside")
    fd = system.open(aside, _FLAGS, 0o600)
    try:
        data = b"".join([line + b"\n" for line in lines])
        if system.write(fd, data) < len(data):
            raise OSError("the disk took only a part of it")
        system.fsync(fd)
    finally:
        system.close(fd)
    sync_folder(path.parent)
    name = "beside it" if key.private else aside.name
    log.error(
        "%d lines of the journal do not continue the history of %s, as that was replaced or "
        "removed: they were put aside (%s).", len(lines), key, name,
    )  # fmt: skip
