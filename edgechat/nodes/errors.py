"""What goes wrong between a node and its engine."""

from __future__ import annotations


class EngineError(Exception):
    """The engine can't be used as it is. Its text says why, for a person."""


class LinkDown(Exception):
    """The connection ended before the answer came: the engine may have done it, or not."""


class Forked(Exception):
    """Two chains go on from one line, or have none in common: one of them is not the room's."""
