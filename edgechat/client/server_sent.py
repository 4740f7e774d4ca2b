"""Server-sent events of a stream of bytes (the HTML standard, section 9.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BLOCK = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^(event|id|data): ?([^\r\n]*)", re.MULTILINE)


class ServerSent(NamedTuple):
    """An event with the last `id` before it; one without data says only where the stream stands."""

    event: str
    id: str
    data: bytes


class EventParser:
    """Takes bytes as they come, and gives whole events. Comments and `retry` are passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._id = ""

    def feed(self, data: bytes) -> Iterator[ServerSent]:
        """The events that these bytes complete."""
        *blocks, self._rest = _BLOCK.split(self._rest + data)
        for block in blocks:
            fields = _FIELD.findall(block)
            values = {name: value.decode(errors="replace") for name, value in fields}
            lines = [value for name, value in fields if name == b"data"]
            self._id = values.get(b"id", self._id)
            if lines or b"id" in values:
                yield ServerSent(values.get(b"event", "message"), self._id, b"\n".join(lines))
