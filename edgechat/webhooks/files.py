"""The files of webhooks: `<data>/webhooks/secret`, and one with its position for each.

A file is always whole: it is written beside the old one, fsynced, and moved over it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from edgechat import system
from edgechat.chat.line import Token
from edgechat.webhooks.hook import Hook
from edgechat.webhooks.signing import SECRET_BYTES, BadSecret, parse_secret, write_secret

_MOST = 64 * 1024  # bytes of any of these files
_FOLDER = "webhooks"


class Position(msgspec.Struct, frozen=True):
    """Up to where a target has a room's lines. Room and URL are there for people who look."""

    room: str
    url: str
    seq: int
    h: str | None  # of line `seq`, 16 hex digits; None where it is not known
    ended: bool = False  # the target said that it wants no more
    edgechat_webhook: Literal[1] = 1

    @property
    def since(self) -> Token | int:
        """Where to go on from."""
        return self.seq if self.h is None else Token(self.seq, self.h)


def load_secret(data: Path, text: str, path: str) -> bytes:
    """The key that signs: that of `text`, else of the file at `path`, else of a file of our own.

    That last one is made where it is not there. Raises `BadSecret`.
    """
    if text:
        return parse_secret(text)
    file = Path(path) if path else data / _FOLDER / "secret"
    try:
        found = _read(file)
        if found is None and not path:
            found = write_secret(system.token_bytes(SECRET_BYTES)).encode() + b"\n"
            _replace(file, found)
    except OSError as error:
        raise BadSecret(f"{file} can't be used: {error.strerror or error}.") from None
    if found is None:
        raise BadSecret(f"There is no {file} with the webhooks' secret.")
    try:
        return parse_secret(found.decode("ascii", errors="replace"))
    except BadSecret as error:
        raise BadSecret(f"{file}: {error}") from None


def position_file(data: Path, hook: Hook) -> Path:
    """Where a webhook's position is."""
    return data / _FOLDER / hook.file_name


def read_position(path: Path) -> Position | None:
    """The position there; None where there is none. For a worker thread.

    Raises `OSError`, and `ValueError` for a file that is not a position.
    """
    found = _read(path)
    if found is None:
        return None
    try:
        return msgspec.json.decode(found, type=Position)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(f"it is not a webhook's position: {error}") from None


def write_position(path: Path, position: Position) -> None:
    """Store a position, to outlive a power loss. For a worker thread. Raises `OSError`."""
    _replace(path, msgspec.json.encode(position) + b"\n")


def _read(path: Path) -> bytes | None:
    try:
        fd = system.open(path, system.O_RDONLY | system.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return system.pread(fd, _MOST, 0)
    finally:
        system.close(fd)


def _replace(path: Path, data: bytes) -> None:
    """Readable by its owner only: there is a secret, or a private room's id, in it."""
    with suppress(FileExistsError):
        system.mkdir(path.parent, 0o700)
    new = path.with_name(path.name + ".new")
    flags = system.O_WRONLY | system.O_CREAT | system.O_TRUNC | system.O_CLOEXEC
    fd = system.open(new, flags, 0o600)
    try:
        if system.write(fd, data) < len(data):
            raise OSError("the disk took only a part of it")
        system.fsync(fd)
    finally:
        system.close(fd)
    system.replace(new, path)
