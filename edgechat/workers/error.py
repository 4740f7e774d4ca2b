"""Why a server of several processes can't run."""

from __future__ import annotations


class WorkerError(Exception):
    """A worker can't be started. Its text says why, for a person."""
