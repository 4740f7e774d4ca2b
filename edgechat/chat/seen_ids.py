"""Which idempotency keys a room has seen, and in which line."""

from __future__ import annotations

from collections.abc import Mapping


class SeenIds:
    """The `id`s of the last `depth` messages, and of up to as many before them.

    They are let go of by the thousand: a dict whose oldest entries are removed one by one gets
    slower and slower at finding its oldest.
    """

    __slots__ = ("_depth", "_new", "_old")

    def __init__(self, depth: int, seq_of: Mapping[str, int]) -> None:
        """`seq_of` says where each was said."""
        self._depth = depth
        self._old: Mapping[str, int] = {}
        self._new = dict(seq_of)

    def find(self, id: str, head: int) -> int | None:
        """The line in which `id` was said, if it is among the last ones up to `head`."""
        seq = self._new.get(id) or self._old.get(id)
        return seq if seq is not None and seq > head - self._depth else None

    def add(self, id: str, seq: int) -> None:
        """Remember that line `seq`, which is beyond all others, has `id`."""
        self._new[id] = seq
        if len(self._new) > self._depth:
            self._old, self._new = self._new, {}
