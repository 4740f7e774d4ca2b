"""Copies of a data folder, whose server may write to it meanwhile.

A history only grows, so its bytes up to any newline are a history too. A file that is gone when
its turn comes was removed, or replaced: that is what the copy has, then.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from edgechat.cli.data import shown
from edgechat.cli.output import Stdout
from edgechat.cli.showing import note

if TYPE_CHECKING:
    from edgechat.history.journal.view import JournalView

_BLOCK = 1024 * 1024
_FOLDERS = ("rooms/public", "rooms/private", "webhooks")

Progress = Callable[[int], Any]


class Copier(Protocol):
    """Takes files."""

    def add(self, path: Path, name: str, journal: JournalView, progress: Progress) -> int | None:
        """Copy a file; returns its bytes, None if it is gone. Raises `OSError`.

        `journal` was looked at before: what a history lacks of it follows in the copy.
        """

    def finish(self) -> None:
        """There are no more. Raises `OSError`."""


class Folder:
    """A folder that appears under its name when it is whole; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.{os.getpid()}.new")

    def __enter__(self) -> Folder:
        for folder in _FOLDERS:
            (self._new / folder).mkdir(parents=True)
        self._new.chmod(0o700)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._new, ignore_errors=True)

    def add(self, path: Path, name: str, journal: JournalView, progress: Progress) -> int | None:
        """See `Copier`. The copy is readable by its owner only, and keeps the time."""
        with _opened(path) as source:
            if source is None:
                return None
            size, rest = _measure(source, path, name, journal)
            target = os.open(self._new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(target, "wb") as copy:
                for block in _blocks(source, size):
                    copy.write(block)
                    progress(len(block))
                copy.write(rest)
                copy.flush()
                os.fsync(copy.fileno())
            stamp = os.fstat(source.fileno()).st_mtime_ns
            os.utime(self._new / name, ns=(stamp, stamp))
            return size + len(rest)

    def finish(self) -> None:
        """See `Copier`."""
        for folder in (*_FOLDERS, "rooms", "."):
            _sync(self._new / folder)
        self._new.rename(self._path)
        _sync(self._path.parent)


class Tar:
    """A tar, written as it comes."""

    def __init__(self, output: Stdout) -> None:
        self._output = output
        file = cast("BinaryIO", output)
        self._tar = tarfile.TarFile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)
        for name in ("rooms", *_FOLDERS):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            self._tar.addfile(folder)

    def add(self, path: Path, name: str, journal: JournalView, progress: Progress) -> int | None:
        """See `Copier`."""
        with _opened(path) as source:
            if source is None:
                return None
            entry = tarfile.TarInfo(name)
            size, rest = _measure(source, path, name, journal)
            entry.size, entry.mode = size + len(rest), 0o600
            entry.mtime = os.fstat(source.fileno()).st_mtime
            self._tar.addfile(entry, _Told(source, size, rest, progress))
            return entry.size

    def finish(self) -> None:
        """See `Copier`."""
        self._tar.close()
        self._output.flush()


class _Told(io.RawIOBase):
    """A file, and what follows it; it tells how far it is read."""

    def __init__(self, source: BinaryIO, size: int, rest: bytes, progress: Progress) -> None:
        self._blocks = chain(_blocks(source, size), (rest,))
        self._rest = b""
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end only."""
        while len(self._rest) < size and (block := next(self._blocks, b"")):
            self._rest += block
            self._progress(len(block))
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    from edgechat.history.regular_file import NotAFile, open_regular

    try:
        fd = open_regular(path)
    except FileNotFoundError:
        yield None
        return
    except NotAFile as error:  # no room can read it, and it could be anything
        note(f"Left out: {shown(path)}: {error.strerror}.")
        yield None
        return
    with open(fd, "rb") as file:
        yield file


def _measure(file: BinaryIO, path: Path, name: str, journal: JournalView) -> tuple[int, bytes]:
    """The bytes to copy: of a history all whole lines, of the key all there is; and what follows
    them, which only the journal has.
    """
    from edgechat.history.journal.view import bytes_of
    from edgechat.history.repair import open_file

    if not name.startswith("rooms/"):
        return os.fstat(file.fileno()).st_size, b""
    whole = open_file(file.fileno())
    new = bytes_of(journal.after_file(path, whole))
    ends_well = not new or os.pread(file.fileno(), 1, whole.end - 1) == b"\n"
    return whole.end, new if ends_well else b"\n" + new


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise OSError(0, "a history became shorter while it was copied")
        size -= len(block)
        yield block


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # not all file systems can
            os.fsync(fd)
    finally:
        os.close(fd)
