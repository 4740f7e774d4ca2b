"""What a batch says to everybody, and the places where it says more to one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Reader = TypeVar("Reader", bound=Hashable)


class Recipients(Generic[Reader]):
    """Frames for all in their order; a reader may be told more in between, or start later.

    Most readers get `for_all()`, one blob; the few in `for_some()` get theirs instead.
    """

    __slots__ = ("_extras", "_frames", "_starts")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._extras: dict[Reader, list[tuple[int, bytes]]] = {}
        self._starts: dict[Reader, int] = {}

    def broadcast(self, frame: bytes) -> None:
        """Say `frame` to everybody."""
        self._frames.append(frame)

    def send_to(self, reader: Reader, data: bytes) -> None:
        """Say `data`, whole frames, to one reader alone, at this place."""
        self._extras.setdefault(reader, []).append((len(self._frames), data))

    def start(self, reader: Reader) -> None:
        """From this place on, `reader` is one of all."""
        self._starts[reader] = len(self._frames)
        self._extras.setdefault(reader, [])

    def for_all(self) -> bytes:
        """What everybody gets who is not in `for_some()`; may be empty."""
        return b"".join(self._frames)

    def for_some(self) -> dict[Reader, bytes]:
        """What each one gets whose blob differs."""
        return {reader: self._blob(reader) for reader in self._extras}

    def _blob(self, reader: Reader) -> bytes:
        parts: list[bytes] = []
        place = self._starts.get(reader, 0)
        for at, data in self._extras[reader]:
            parts += self._frames[place:at]
            parts.append(data)
            place = max(place, at)
        return b"".join(parts + self._frames[place:])
