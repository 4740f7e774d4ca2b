"""The machine: its cores, limit of open files and free ports; who waited for a core."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import socket
from pathlib import Path

FILES = 65_536


def raise_file_limit() -> int:
    """Allow this process, and those it starts, as many sockets as possible; return how many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < FILES:  # only root may lift the ceiling
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
            return FILES
    limit = hard if hard != resource.RLIM_INFINITY else FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


@functools.cache  # asked before anything is pinned, and true after
def cores() -> tuple[int, int]:
    """The server's core and the load's; the same one where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def waited_ns(pid: int | str = "self") -> int:
    """Nanoseconds a process spent runnable without its core; 0 where the kernel doesn't say."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    return 0
