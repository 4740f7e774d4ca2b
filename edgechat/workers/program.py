"""The program of a worker process: how the front starts it, and what its end says."""

from __future__ import annotations

import json
import sys

import trio

from edgechat import system

# Where the package is found, it is found as this process found it.
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from edgechat.workers.start import main; main()"
)


async def start(channel: int, lock: int) -> trio.Process:
    """Start it with these two descriptors. Raises `OSError`."""
    command = [sys.executable, "-c", _CODE, str(channel), str(lock)]
    return await system.start_process([*command, json.dumps(sys.path)], (channel, lock))


def words_of(status: int) -> str:
    """How it ended, for a person."""
    if status < 0:
        return f"it was ended by signal {-status}"
    return f"it ended with status {status}"
