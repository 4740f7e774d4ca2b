"""A bot's place on disk: up to where it handled its room, and what it was about to say.

Laws: the file is always whole (written beside it, synced, moved over it); a text is in it before
it is sent; the token moves on only when a message is handled, and what was said in answer to it
goes with the same write. An older file than the last is harmless: what was said is said again
under the same ids, and stored once.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
import trio

from edgechat.chat.line import Token

VERSION = 1


class Place(msgspec.Struct, kw_only=True):
    """What is on disk. `said` are the texts by their ids of the message that is being handled."""

    edgechat_bot: int = VERSION
    key: str = msgspec.field(default_factory=secrets.token_hex)
    token: Token | None = None  # None: never in the room
    said: dict[str, str] = {}


class PlaceFile:
    """A place and its file; without a path it lives as long as the process."""

    def __init__(self, path: Path | None, place: Place) -> None:
        self._path = path
        self._place = place

    @property
    def key(self) -> str:
        """The secret from which the bot's ids are derived."""
        return self._place.key

    @property
    def token(self) -> Token | None:
        """The line up to which all is handled; None before the first join."""
        return self._place.token

    async def will_say(self, id: str, text: str) -> str:
        """Call before saying a text. Returns what to say: the text that was kept under this id
        by a process which did not get further.
        """
        if id not in self._place.said:
            self._place.said[id] = text
            await self._write()
        return self._place.said[id]

    async def move(self, token: Token) -> None:
        """All up to this line is handled."""
        self._place.token = token
        self._place.said.clear()
        await self._write()

    async def _write(self) -> None:
        if self._path is not None:
            data = msgspec.json.format(msgspec.json.encode(self._place))
            await trio.to_thread.run_sync(_replace, self._path, data)


async def open_place(path: Path | None, key: str | None) -> PlaceFile:
    """Read the place at `path`; a new one where there is no file. A `key` given goes first.

    Raises `OSError`; `ValueError` for a file that is not a bot's place.
    """
    place = Place()
    if path is not None and (data := await trio.to_thread.run_sync(_read, path)) is not None:
        try:
            place = msgspec.json.decode(data, type=Place)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ValueError(f"{path} is not the place of a bot: {error}") from None
        if place.edgechat_bot != VERSION:
            raise ValueError(f"{path} is of another version: {place.edgechat_bot}")
    if key is not None:
        place.key = key
    return PlaceFile(path, place)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replace(path: Path, data: bytes) -> None:
    """Readable by its owner only: the key is a secret."""
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    new.replace(path)
