"""What makes a measurement void."""

from __future__ import annotations


class LoadError(RuntimeError):
    """The server did not do what every chat server must; the figures would mean nothing."""
