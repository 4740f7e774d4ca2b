"""What the journal has and a history's file does not have yet: for whoever reads beside a server.

Synchronous. The journal is looked at first, and the files after that: what leaves the journal in
between is in its file by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from edgechat import system
from edgechat.chat.line import chain
from edgechat.chat.names import RoomKey
from edgechat.history.journal.contents import Contents, JournalLine, collect, parts
from edgechat.history.reader import File, read_tail

_NEWEST = 100  # lines, of which one can be read
_TAIL = 64 * 1024  # bytes


class JournalView:
    """The journal of one data folder as it was at one moment."""

    def __init__(self, data: Path, only: RoomKey | None = None) -> None:
        """`only`: the one room that will be asked for. Raises `OSError`."""
        self._contents: Contents = collect(parts(data / "journal"), only)

    def after(self, key: RoomKey, seq: int, h: bytes | None) -> Iterator[JournalLine]:
        """The lines that go on from line `seq`, whose chain hash is `h`."""
        journalled = self._contents.rooms.get(key)
        for place in journalled.places if journalled is not None else ():
            if place.seq == seq + 1 and h is not None and chain(h, place.line) == place.h:
                yield place
                seq, h = place.seq, place.h

    def after_file(self, path: Path, file: File) -> list[JournalLine]:
        """The lines that go on from where a history's file ends. Raises `OSError`."""
        key = key_of(path)
        if key not in self._contents.rooms or not file.end:
            return []
        reader, _ = read_tail(file, _NEWEST, _TAIL)
        return list(self.after(key, reader.seq, reader.h))


def key_of(path: Path) -> RoomKey:
    """The room whose history is at that place in a data folder."""
    return RoomKey(path.stem, private=path.parent.name == "private")


def size_of_journal(data: Path) -> int:
    """Bytes in a data folder's journal; 0 without one. Raises `OSError`."""
    return sum(_size(part.path) for part in parts(data / "journal"))


def bytes_of(places: Iterable[JournalLine]) -> bytes:
    """Lines as they stand in a file."""
    return b"".join([place.line + b"\n" for place in places])


def _size(path: Path) -> int:
    try:
        return system.stat(path).st_size
    except FileNotFoundError:
        return 0
