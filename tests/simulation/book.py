"""A room's history as anybody can read it: the file's whole lines, checked by this code alone."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, NamedTuple

Place = tuple[int, str]  # seq and h


class Line(NamedTuple):
    """A line of a history, and what it says."""

    seq: int
    h: str
    timestamp: int
    name: str
    message: str
    id: str | None
    raw: bytes

    @property
    def place(self) -> Place:
        return self.seq, self.h


class Broken(AssertionError):
    """A promise was broken."""


def read_line(raw: bytes) -> Line:
    said: dict[str, Any] = json.loads(raw)
    return Line(
        said["seq"],
        said["h"],
        said["timestamp"],
        said["name"],
        said["message"],
        said.get("id"),
        raw,
    )


class Book:
    """One history file. `read` again after each step; only what is new costs time."""

    def __init__(self) -> None:
        self.base: Place = (0, "0" * 16)
        self.lines: list[Line] = []
        self.places: set[Place] = set()
        self.texts: set[str] = set()
        self._text = b""

    @property
    def head(self) -> Place:
        """Where it ends: 0 and zeros while there is no file."""
        return self.lines[-1].place if self.lines else self.base if self._text else (0, "0" * 16)

    def read(self, content: bytes) -> None:
        """Raises `Broken` where `seq` has a hole, the chain is wrong or time does not go on."""
        text = content[: content.rfind(b"\n") + 1]
        if not text.startswith(self._text) or not self._text:
            self.__init__()  # type: ignore[misc]
        if not self._text and text:
            header, _, _ = text.partition(b"\n")
            base = json.loads(header)["base"]
            self.base, self._text = (base["seq"], base["h"]), header + b"\n"
        for raw in text[len(self._text) :].split(b"\n")[:-1]:
            self._add(read_line(raw))
        self._text = text

    def _add(self, line: Line) -> None:
        last, time = (self.lines[-1].place, self.lines[-1].timestamp) if self.lines else (None, 0)
        seq, h = last or self.base
        if line.seq != seq + 1:
            raise Broken(f"line {line.seq} stands after line {seq}")
        if not follows(h, line):
            raise Broken(f"line {line.seq} does not follow from the line before it")
        if line.timestamp <= time:
            raise Broken(f"line {line.seq} is not later than the line before it")
        self.lines.append(line)
        self.places.add(line.place)
        self.texts.add(line.message)


def follows(h: str, line: Line) -> bool:
    """Whether a line goes on from the one that has that `h`."""
    return line.h == _chain(h, line.raw)


def _chain(h: str, raw: bytes) -> str:
    body, claim = raw[:-24], raw[-24:]
    assert claim.startswith(b',"h":"'), raw
    digest = blake2b(body + b"}", digest_size=8).digest()
    return blake2b(bytes.fromhex(h) + digest, digest_size=8).hexdigest()
