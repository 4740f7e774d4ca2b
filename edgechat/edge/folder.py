"""The data folder: where a room's history is, the server's key, and one server at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from edgechat.core.names import RoomKey

_KEY_BYTES = 32


class FolderError(Exception):
    """The data folder can't be used. Its text says why, for a person."""


class Folder:
    """`<data>/rooms/public/<name>.jsonl`, `<data>/rooms/private/<id>.jsonl`, `<data>/key`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def prepare(self) -> bytes:
        """Make it, lock it, and return the key. Raises `FolderError`. `release` it afterwards."""
        try:
            for kind in ("public", "private"):
                (self.path / "rooms" / kind).mkdir(parents=True, exist_ok=True)
            self._take_lock()
            return self._read_key()
        except FolderError:
            self.release()
            raise
        except OSError as error:
            self.release()
            reason = error.strerror or str(error)
            raise FolderError(f"The data folder {self.path} can't be used: {reason}.") from None

    def release(self) -> None:
        """Let another server have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def history(self, key: RoomKey) -> Path:
        """Where that room's history is, or will be."""
        return self.shelf(private=key.private) / f"{key.name}.jsonl"

    def shelf(self, *, private: bool) -> Path:
        """Where the histories of all such rooms are."""
        return self.path / "rooms" / ("private" if private else "public")

    def _take_lock(self) -> None:
        """Hold a lock that ends with this process, however it ends."""
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = f"Another EdgeChat server uses the data folder {self.path}: stop it first."
            raise FolderError(text) from None

    def _read_key(self) -> bytes:
        """The key that signs private ids; made at the first start, whole or not at all."""
        path = self.path / "key"
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = secrets.token_bytes(_KEY_BYTES)
            self._write_key(path, key)
        if len(key) != _KEY_BYTES:
            raise FolderError(f"{path} is no key of {_KEY_BYTES} bytes: restore it, or remove it.")
        return key

    def _write_key(self, path: Path, key: bytes) -> None:
        new = path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, key)
            os.fsync(fd)
        finally:
            os.close(fd)
        new.replace(path)
        sync_folder(self.path)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last: a new file's name is not part of the file."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
