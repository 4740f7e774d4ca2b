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
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, cast

from edgechat.cli.output import Stdout

_BLOCK = 1024 * 1024
_FOLDERS = ("rooms/public", "rooms/private", "webhooks")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW

Progress = Callable[[int], Any]


def copies(data: Path) -> Iterator[tuple[Path, str]]:
    """What belongs into a copy, and its name there: the key, then every history.

    The positions of webhooks come first: one that is older than its history repeats lines under
    their ids, one that is newer would be in a history that does not have its line.
    """
    if (data / "key").exists():
        yield data / "key", "key"
    for path in sorted((data / "webhooks").glob("*")):
        if path.suffix in ("", ".json"):
            yield path, f"webhooks/{path.name}"
    for kind in ("public", "private"):
        for path in sorted((data / "rooms" / kind).glob("*.jsonl")):
            yield path, f"rooms/{kind}/{path.name}"


class Copier(Protocol):
    """Takes files."""

    def add(self, path: Path, name: str, progress: Progress) -> int | None:
        """Copy a file; returns its bytes, None if it is gone. Raises `OSError`."""

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

    def add(self, path: Path, name: str, progress: Progress) -> int | None:
        """See `Copier`. The copy is readable by its owner only, and keeps the time."""
        with _opened(path) as source:
            if source is None:
                return None
            size = _end(source, name)
            target = os.open(self._new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(target, "wb") as copy:
                for block in _blocks(source, size):
                    copy.write(block)
                    progress(len(block))
                copy.flush()
                os.fsync(copy.fileno())
            stamp = os.fstat(source.fileno()).st_mtime_ns
            os.utime(self._new / name, ns=(stamp, stamp))
            return size

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

    def add(self, path: Path, name: str, progress: Progress) -> int | None:
        """See `Copier`."""
        with _opened(path) as source:
            if source is None:
                return None
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = _end(source, name), 0o600
            entry.mtime = os.fstat(source.fileno()).st_mtime
            self._tar.addfile(entry, _Told(source, entry.size, progress))
            return entry.size

    def finish(self) -> None:
        """See `Copier`."""
        self._tar.close()
        self._output.flush()


class _Told(io.RawIOBase):
    """A file that tells how far it is read."""

    def __init__(self, source: BinaryIO, size: int, progress: Progress) -> None:
        self._blocks = _blocks(source, size)
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
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        yield None
        return
    with open(fd, "rb") as file:
        yield file


def _end(file: BinaryIO, name: str) -> int:
    """The bytes to copy: of a history all whole lines, of the key all there is."""
    from edgechat.history.repair import find_end

    is_history = name.startswith("rooms/")
    return find_end(file.fileno()) if is_history else os.fstat(file.fileno()).st_size


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
