"""EdgeChat's stored rooms: where their files are, and a restart with other ones."""

from __future__ import annotations

import time
from pathlib import Path

from bench.server import Server

POLL_S = 0.3
AT_REST_NS = 3_000_000  # of CPU in that time: heartbeats
LONGEST_S = 120.0


def public_rooms(server: Server) -> Path:
    """The folder in which the server keeps its public rooms."""
    return server.data / "data/rooms/public"


def restart(server: Server) -> None:
    """Start it again after `stop`; return when it has done all that it does at start."""
    server.start_again()
    server.wait_listening()
    wait_idle(server)


def wait_idle(server: Server) -> None:
    """Return when the server has nothing more to do. Raises TimeoutError after two minutes."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        before = server.cpu_ns()
        time.sleep(POLL_S)
        if server.cpu_ns() - before < AT_REST_NS:
            return
    raise TimeoutError(f"still busy after {LONGEST_S:.0f} s")
