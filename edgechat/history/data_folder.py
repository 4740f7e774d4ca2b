"""The data folder: where a room's history is, the server's key, and one server at a time."""

from __future__ import annotations

import logging
import stat
from contextlib import suppress
from errno import ENOTDIR
from pathlib import Path

from edgechat import system
from edgechat.chat.names import RoomKey

log = logging.getLogger(__name__)

_KEY_BYTES = 32


class DataFolderError(Exception):
    """The data folder can't be used. Its text says why, for a person."""


class DataFolder:
    """`<data>/rooms/public/<name>.jsonl`, `<data>/rooms/private/<id>.jsonl`, `<data>/key`."""

    def __init__(self, path: Path, lock: int | None = None) -> None:
        """`lock` is a descriptor of its lock that was inherited: then it is prepared."""
        self.path = path
        self._lock = lock

    @property
    def lock(self) -> int:
        """The descriptor that holds the lock: the lock lasts until every copy of it is closed."""
        assert self._lock is not None, "it is not prepared"
        return self._lock

    def prepare(self) -> bytes:
        """Make it, lock it, and return the key; `release` it afterwards.

        Raises `DataFolderError`.
        """
        try:
            for kind in ("public", "private"):
                _make(self.path / "rooms" / kind, self.path)
            self._take_lock()
            return self._read_key()
        except DataFolderError:
            self.release()
            raise
        except OSError as error:
            self.release()
            reason = error.strerror or str(error)
            raise DataFolderError(f"The data folder {self.path} can't be used: {reason}.") from None

    def release(self) -> None:
        """Let another server have it."""
        if self._lock is not None:
            system.close(self._lock)
            self._lock = None

    def is_in_place(self) -> bool:
        """Whether the folder that is locked is the one at this path: it may have been moved away.

        Another server may use what was made in its place. Raises `OSError`.
        """
        if self._lock is None:
            return True
        try:
            found = system.stat(self.path / "lock")
        except FileNotFoundError:
            return False
        ours = system.fstat(self._lock)
        return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)

    def history(self, key: RoomKey) -> Path:
        """Where that room's history is, or will be."""
        return self.rooms_folder(private=key.private) / f"{key.name}.jsonl"

    def rooms_folder(self, *, private: bool) -> Path:
        """Where the histories of all such rooms are."""
        return self.path / "rooms" / ("private" if private else "public")

    def _take_lock(self) -> None:
        """Hold a lock that ends with this process, however it ends."""
        self._lock = system.open(
            self.path / "lock", system.O_RDWR | system.O_CREAT | system.O_CLOEXEC, 0o600
        )
        try:
            system.flock(self._lock, system.LOCK_EX | system.LOCK_NB)
        except BlockingIOError:
            text = f"Another EdgeChat server uses the data folder {self.path}: stop it first."
            raise DataFolderError(text) from None

    def _read_key(self) -> bytes:
        """The key that signs private ids; made at the first start, whole or not at all."""
        path = self.path / "key"
        try:
            key = _read(path)
        except FileNotFoundError:
            key = system.token_bytes(_KEY_BYTES)
            self._write_key(path, key)
        if len(key) != _KEY_BYTES:
            raise DataFolderError(
                f"{path} is not a key of {_KEY_BYTES} bytes: restore it, or remove it."
            )
        return key

    def _write_key(self, path: Path, key: bytes) -> None:
        new = path.with_suffix(".new")
        fd = system.open(
            new, system.O_WRONLY | system.O_CREAT | system.O_TRUNC | system.O_CLOEXEC, 0o600
        )
        try:
            system.write(fd, key)
            system.fsync(fd)
        finally:
            system.close(fd)
        system.replace(new, path)
        sync_folder(self.path)


def read_key(data: Path) -> bytes | None:
    """The key that signs private ids; None where it can't be read."""
    try:
        key = _read(data / "key")
    except OSError:
        return None
    return key if len(key) == _KEY_BYTES else None


def _make(path: Path, data: Path) -> None:
    """Make a folder, and those above it up to the data folder, so that they are nobody else's.

    A private room's id is its only lock, and is a file's name: so no other user may list them.
    A folder that was there is shut for others too, but for the data folder itself: that may be
    shared on purpose, and what is in it is shut. One that is another user's is named in the log.
    """
    if path != data:
        _make(path.parent, data)
    else:
        with suppress(FileExistsError):  # also where it is no folder: that shows next
            system.makedirs(path.parent)
    try:
        system.mkdir(path, 0o700)
    except FileExistsError:
        mode = system.stat(path).st_mode
        if not stat.S_ISDIR(mode):
            raise NotADirectoryError(ENOTDIR, "Not a directory") from None
        if path != data and mode & 0o077:
            _shut(path, mode)


def _shut(path: Path, mode: int) -> None:
    try:
        system.chmod(path, mode & 0o700)
    except OSError:
        log.warning("Other users of this machine may list the rooms in %s.", path)


def _read(path: Path) -> bytes:
    fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC)
    try:
        return system.pread(fd, _KEY_BYTES + 1, 0)
    finally:
        system.close(fd)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last: a new file's name is not part of the file."""
    fd = system.open(path, system.O_RDONLY | system.O_DIRECTORY | system.O_CLOEXEC)
    try:
        system.fsync(fd)
    finally:
        system.close(fd)
