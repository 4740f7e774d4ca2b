"""What a node does to history files by itself: beginning one, its head, a tail that is not ours.

All of it is synchronous: for a worker thread. Lines are written by `history`, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgechat import system
from edgechat.chat.line import Token
from edgechat.chat.names import PrivateIds, RoomKey
from edgechat.history.data_folder import DataFolder, sync_folder
from edgechat.history.header import FORMAT, Base, Header
from edgechat.history.strays import find_files, is_history
from edgechat.nodes.chain import Point

_BLOCK = 64 * 1024
_LAST = re.compile(rb'\{"seq":([0-9]{1,18}),[^\n]*,"h":"([0-9a-f]{16})"\}\n\Z')
_MAKE = system.O_WRONLY | system.O_CREAT | system.O_EXCL | system.O_CLOEXEC | system.O_NOFOLLOW


def make_header(room: str, created: int, base: Token) -> bytes:
    """A history's first line, with its newline. `created` is Unix time in ms."""
    return msgspec.json.encode(Header(FORMAT, room, created, Base(*base))) + b"\n"


def read_header(path: Path) -> bytes:
    """The first line as it stands there, with its newline. Raises `OSError`."""
    fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC)
    try:
        line, newline, _ = system.pread(fd, _BLOCK, 0).partition(b"\n")
        return line + newline
    finally:
        system.close(fd)


def begin(path: Path, header: bytes) -> None:
    """Make a history of nothing but a header. Raises `OSError`; then there is none."""
    fd = system.open(path, _MAKE, 0o600)
    try:
        if system.write(fd, header) < len(header):
            raise OSError("the disk took only a part of it")
    except OSError:
        system.unlink(path)
        raise
    finally:
        system.close(fd)


def last_point(path: Path) -> Point | None:
    """Behind the last line, by its own word; None where that is not plain to see."""
    try:
        fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC | system.O_NONBLOCK)
    except OSError:
        return None
    try:
        size = system.fstat(fd).st_size
        found = _LAST.search(system.pread(fd, _BLOCK, max(0, size - _BLOCK)))
    except OSError:
        return None
    finally:
        system.close(fd)
    return Point(int(found[1]), bytes.fromhex(found[2].decode())) if found else None


def set_aside(path: Path, keep: int | None) -> None:
    """Move the lines after line `keep` to a file beside it; None: the whole file.

    Raises `OSError`.
    """
    beside = _free_name(path, 1 if keep is None else keep + 1)
    if keep is None:
        system.replace(path, beside)
    else:
        _move_tail(path, beside, _start_of(path, keep + 1))
    sync_folder(path.parent)


def _start_of(path: Path, seq: int) -> int:
    """Where line `seq` begins. Raises `OSError`."""
    opening, at, block = b'\n{"seq":%d,' % seq, 0, b""
    fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC)
    try:
        while more := system.pread(fd, _BLOCK, at):
            block = block[-len(opening) :] + more
            if (found := block.find(opening)) >= 0:
                return at + len(more) - len(block) + found + 1
            at += len(more)
    finally:
        system.close(fd)
    raise OSError(f"line {seq} is not to be found")


def _move_tail(path: Path, beside: Path, keep: int) -> None:
    fd = system.open(path, system.O_RDWR | system.O_CLOEXEC)
    try:
        copy = system.open(beside, _MAKE, 0o600)
        try:
            at = keep
            while block := system.pread(fd, _BLOCK, at):
                at += system.write(copy, block)
            system.fsync(copy)
        finally:
            system.close(copy)
        system.ftruncate(fd, keep)
        system.fsync(fd)
    finally:
        system.close(fd)


def _free_name(path: Path, seq: int) -> Path:
    """`lobby.jsonl.forked-42`, and another number where that is taken."""
    while True:
        beside = path.with_name(f"{path.name}.forked-{seq}")
        try:
            system.stat(beside)
        except FileNotFoundError:
            return beside
        seq += 1


def kept_rooms(folder: DataFolder, ids: PrivateIds) -> Iterator[RoomKey]:
    """The rooms that have a history in a data folder. Raises `OSError`."""
    for found in find_files(folder.path, ids):
        if is_history(found):
            yield RoomKey(found.room or found.path.stem, private=not found.room)
