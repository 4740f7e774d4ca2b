"""Which idempotency keys a room has seen, and in which line."""

from __future__ import annotations

from collections.abc import Mapping


class KnownIds:
    """The `id`s of the last `depth` messages. Older ones are forgotten, oldest first."""

    __slots__ = ("_depth", "_seq_of")

    def __init__(self, depth: int, seq_of: Mapping[str, int]) -> None:
        """`seq_of` says where each was said, oldest first."""
        self._depth = depth
        self._seq_of = dict(seq_of)

    def find(self, id: str, head: int) -> int | None:
        """The line in which `id` was said, if it is among the last ones up to `head`."""
        seq = self._seq_of.get(id)
        return seq if seq is not None and seq > head - self._depth else None

    def add(self, id: str, seq: int) -> None:
        """Remember that line `seq` has `id`."""
        self._seq_of.pop(id, None)
        self._seq_of[id] = seq
        if len(self._seq_of) > self._depth:
            del self._seq_of[next(iter(self._seq_of))]
